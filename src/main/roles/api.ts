import { LogHistory } from '../../application/reading/logHistory.ts';
import { drain } from '../../edge/drain.ts';
import { AdmissionControl } from '../../edge/gate/admission.ts';
import type { Realtime } from '../../edge/realtime.ts';
import { EventStreamTransport } from '../../edge/transports/sse/eventStreamTransport.ts';
import { createHttpApp } from '../../http/app.ts';
import type { UploadDeps } from '../../http/deps.ts';
import { startHttpServer } from '../../http/server/server.ts';
import { securityHeaders } from '../../middleware/securityHeaders.ts';
import { projectionSource } from '../../observability/projectionSource.ts';
import { PolledLogHead } from '../../platform/log/logHead.ts';
import { listenForProgress } from '../../platform/nats/projectionProgress.ts';
import { openDatabase } from '../../platform/postgres/database.ts';
import type { ReadModelProgress } from '../../ports/readModelProgress.ts';
import { startReads } from '../parts/replica.ts';
import type { StopSequence } from '../stopSequence.ts';
import type { Foundation } from '../system.ts';

/** The HTTP API. @returns the port it listens on */
export async function startApi(
  foundation: Foundation,
  realtime: Realtime,
  stops: StopSequence,
): Promise<number> {
  const { config, log, application, presence, logger, lifecycle, isDraining } = foundation;
  const database = openDatabase({
    url: foundation.databaseUrl,
    applicationName: 'chat-backend api',
    statementMsMax: config.databaseStatementTimeoutMs,
    ...lifecycle.database('primary'),
  });
  stops.add(() => database.close());
  lifecycle.watch.pool('primary', database.pool);
  const logHead = await PolledLogHead.start({ log, nowMs: application.clock.nowMs });
  stops.add(() => logHead.stop());
  lifecycle.watch.projections(
    projectionSource({
      database,
      head: logHead,
      epoch: () => log.epoch,
      lagSecondsMax: config.projectionLagSecondsMax,
      nowMs: application.clock.nowMs,
    }),
  );
  const eventStreams = openEventStreams(foundation, realtime, stops);
  const health = {
    fsyncPolicy: fsyncPolicy(config),
    publishAckMs: () => log.publishAckMs,
    logState: () => log.state,
    lagSecondsMax: config.projectionLagSecondsMax,
    isDraining,
  };
  const shell = { allowedOrigins: config.corsOrigins, hstsSeconds: config.hstsSeconds };
  const app = createHttpApp({
    application,
    database,
    reads: startReads(foundation, { primary: database, logHead }, stops),
    logHistory: new LogHistory({ log, feed: log }),
    logHead,
    historyProgress: foundation.historyProgress,
    inboxProgress: listenTo('inbox', foundation, stops),
    searchProgress: listenTo('search', foundation, stops),
    presence,
    readMarks: foundation.readMarks,
    eventStreams,
    uploads: uploadsOf(foundation),
    metrics: foundation.metrics,
    logger,
    health,
    shell,
  });
  const server = await startHttpServer({
    app,
    host: config.host,
    port: config.port,
    idleMsMax: config.httpKeepAliveTimeoutMs,
    headersMsMax: config.httpHeadersTimeoutMs,
    connectionsMax: config.httpConnectionsMax,
    headers: securityHeaders(shell),
  });
  stops.add(() => server.stop({ deadlineMs: config.shutdownTimeoutMs }));
  // Streams end by themselves never: they are ended before the server waits for its requests.
  stops.add(() => eventStreams.drain());
  return server.port;
}

function listenTo(projection: string, { connection }: Foundation, stops: StopSequence): ReadModelProgress {
  const { progress, stop } = listenForProgress(connection, projection);
  stops.add(stop);
  return progress;
}

function uploadsOf({ config, lifecycle, application }: Foundation): UploadDeps {
  lifecycle.watch.uploads(() => application.attachments.usage());
  const limits = { bytesMax: config.uploadBytesMax, parallelMax: config.uploadsParallelMax };
  return { limits, onEvent: lifecycle.upload };
}

const STREAMS_END_MS_MAX = 1_000;

function openEventStreams({ config, lifecycle }: Foundation, realtime: Realtime, stops: StopSequence) {
  const admission = new AdmissionControl({
    perSecondMax: config.connectsPerSecondMax,
    connectionsMax: config.connectionsMax,
    nowMs: realtime.context.application.clock.nowMs,
  });
  const { backpressureBytesMax } = config;
  const eventStreams = new EventStreamTransport(realtime.context, {
    admission,
    backpressureBytesMax,
    onEvent: lifecycle.edge,
  });
  stops.add(() => eventStreams.stop());
  return {
    serve: eventStreams.serve.bind(eventStreams),
    drain: () => {
      admission.draining = true;
      return drain([eventStreams], STREAMS_END_MS_MAX);
    },
  };
}

/** What is known of when the log is on disk. A server that is not ours keeps its policy to itself. */
function fsyncPolicy({ natsUrl, natsSyncIntervalMs }: Foundation['config']): string {
  if (natsUrl !== undefined) return 'set by the external nats-server';
  return natsSyncIntervalMs === 'always' ? 'every append' : `every ${natsSyncIntervalMs / 1_000} s`;
}
