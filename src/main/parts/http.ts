import { createHttpApp } from '../../http/app.ts';
import type { HealthDeps, HttpDeps, RealtimeDeps } from '../../http/deps.ts';
import { type HttpServer, type HttpServerOptions, startHttpServer } from '../../http/server/server.ts';
import type { UploadLimits } from '../../http/uploads/uploadLimits.ts';
import { securityHeaders } from '../../middleware/securityHeaders.ts';
import type { StandardHeadersOptions } from '../../middleware/standardHeaders.ts';
import { OPEN_USER_HEADER, type UserHeader } from '../../middleware/userHeader.ts';
import type { Base } from '../base.ts';
import type { EventStreamsPart } from './eventStreams.ts';

/** What the HTTP server stands on. */
export interface HttpParts extends Pick<HttpDeps, 'application' | 'reading'> {
  readonly realtime: RealtimeDeps & { readonly eventStreams: EventStreamsPart };
  readonly health: HealthDeps;
}

/** What no setting says; production leaves it out. */
export interface HttpTuning {
  readonly bodyMsMax?: StandardHeadersOptions['bodyMsMax'];
  readonly server?: Partial<HttpServerOptions>;
  readonly uploads?: Pick<UploadLimits, 'stallMsMax' | 'uploadMsMax'>;
}

/** The HTTP API on its port. */
export async function openHttp(base: Base, parts: HttpParts, tuning: HttpTuning = {}): Promise<HttpServer> {
  const { config, lifecycle, stops } = base;
  lifecycle.watch.uploads(() => parts.application.attachments.usage());
  const deps = httpDeps(base, parts, tuning);
  const server = await startHttpServer({
    app: createHttpApp(deps),
    host: config.host,
    port: config.port,
    idleMsMax: config.httpKeepAliveTimeoutMs,
    headersMsMax: config.httpHeadersTimeoutMs,
    connectionsMax: config.httpConnectionsMax,
    headers: securityHeaders(deps.operations.standardHeaders),
    ...tuning.server,
  });
  stops.add(() => server.stop({ deadlineMs: config.shutdownTimeoutMs }));
  stops.add(() => parts.realtime.eventStreams.drain());
  return server;
}

function userHeader({ trustedUserHeader: name }: Base['config']): UserHeader {
  return name === undefined ? OPEN_USER_HEADER : { name, isTrusted: true };
}

/** The dependencies of every route. */
export function httpDeps(base: Base, parts: HttpParts, { bodyMsMax, uploads }: HttpTuning = {}): HttpDeps {
  const { config, lifecycle, logger, metrics } = base;
  const { application, reading, realtime, health } = parts;
  const limits = { bytesMax: config.uploadBytesMax, parallelMax: config.uploadsParallelMax, ...uploads };
  const standardHeaders = {
    allowedOrigins: config.corsOrigins,
    hstsSeconds: config.hstsSeconds,
    ...(bodyMsMax !== undefined && { bodyMsMax }),
  };
  return {
    application,
    reading,
    realtime,
    uploads: { limits, onEvent: lifecycle.upload },
    operations: { metrics, logger, health, standardHeaders, userHeader: userHeader(config) },
  };
}
