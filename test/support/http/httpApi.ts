import type { ApplicationContext } from '../../../src/application/context.ts';
import type { Presence } from '../../../src/application/presence/presence.ts';
import { ReadMarks } from '../../../src/application/receipts/readMarks.ts';
import type { Gate } from '../../../src/edge/gate/gate.ts';
import type { Realtime } from '../../../src/edge/realtime.ts';
import { MemoryEventLog } from '../../../src/eventlog/memory/memoryEventLog.ts';
import { MemoryReceipts } from '../../../src/eventlog/memory/memoryReceipts.ts';
import { type ServedRoute, servedRoutes } from '../../../src/http/answer/resource.ts';
import { apiRoutes } from '../../../src/http/app.ts';
import type { HealthDeps } from '../../../src/http/deps.ts';
import type { HttpServerOptions } from '../../../src/http/server/server.ts';
import type { UploadEvent } from '../../../src/http/uploads/uploadEvents.ts';
import type { UploadLimits } from '../../../src/http/uploads/uploadLimits.ts';
import { openEventStreams } from '../../../src/main/parts/eventStreams.ts';
import { openGate } from '../../../src/main/parts/gate.ts';
import { type HttpParts, httpDeps, openHttp } from '../../../src/main/parts/http.ts';
import { openReading } from '../../../src/main/parts/reading.ts';
import { openRealtime } from '../../../src/main/parts/realtime.ts';
import type { StandardHeadersOptions } from '../../../src/middleware/standardHeaders.ts';
import type { LogHead } from '../../../src/platform/log/logHead.ts';
import type { Database, Reads } from '../../../src/platform/postgres/database.ts';
import { systemTimers } from '../../../src/platform/time/timers.ts';
import type { AttachmentStore } from '../../../src/ports/attachmentStore.ts';
import type { EventFeed } from '../../../src/ports/eventFeed.ts';
import type { EventLog } from '../../../src/ports/eventLog.ts';
import { applicationOn } from '../application/application.ts';
import { aloneOnline } from '../edge/aloneOnline.ts';
import { testBase } from '../main/testBase.ts';
import { PatientProgress } from './patientProgress.ts';

export interface TestApiOptions {
  /** Default: one that nobody listens at. */
  readonly databaseUrl?: string;
  /** What the API takes for the log; default: {@link TestApi.log} itself. */
  readonly log?: (log: MemoryEventLog) => EventLog;
  /** What the API follows; default: {@link TestApi.log}. */
  readonly feed?: EventFeed;
  /** Where history and search are read; default: the database. */
  readonly reads?: (database: Database, logHead: LogHead) => Reads;
  readonly attachments?: AttachmentStore;
  readonly receipts?: MemoryReceipts;
  /** Event streams at a time; default: 100. */
  readonly connectionsMax?: number;
  readonly eventStreams?: {
    /** Interval of heartbeats, in milliseconds. */
    readonly beatMs: number;
    /** How long a stream lasts, in seconds. */
    readonly secondsMax: number;
    readonly backpressureBytesMax?: number;
  };
  readonly uploads?: Partial<UploadLimits>;
  readonly health?: Partial<HealthDeps>;
  /** Who is online; default: nobody. */
  readonly online?: Presence['online'];
  readonly shell?: StandardHeadersOptions;
  readonly server?: Partial<HttpServerOptions>;
  /** By which a gateway names users; default: none. */
  readonly trustedUserHeader?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: what an answer holds is what the tests are about
  readonly body: any;
}

export interface TestApi {
  readonly url: string;
  readonly port: number;
  readonly log: MemoryEventLog;
  readonly realtime: Realtime;
  readonly gate: Gate;
  readonly receipts: MemoryReceipts;
  readonly database: Database;
  readonly progress: PatientProgress;
  /** Looked at once, when the API started; `ask()` looks again. */
  readonly logHead: LogHead;
  /** What was logged, one object per line. */
  readonly application: ApplicationContext;
  /** How uploads ended. */
  readonly uploads: UploadEvent[];
  readonly logged: Record<string, unknown>[];
  /** Every path that is served, with its methods. */
  readonly routes: readonly ServedRoute[];
  /** A body that is no string or bytes is sent as JSON. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  eventsInLog(): Promise<number>;
  stop(): Promise<void>;
}

/** The real HTTP API on a free port, on a log in memory and, if one is named, a real database. */
export async function startTestApi(options: TestApiOptions = {}): Promise<TestApi> {
  const memory = new MemoryEventLog();
  const log = options.log?.(memory) ?? memory;
  const { uploads: limits = {}, shell = {} } = options;
  const base = testBase({
    joinsPerSocketMax: 10,
    connectionsMax: options.connectionsMax ?? 100,
    backpressureBytesMax: options.eventStreams?.backpressureBytesMax ?? 64 * 1_024,
    ...(options.eventStreams && { eventStreamSecondsMax: options.eventStreams.secondsMax }),
    corsOrigins: shell.allowedOrigins === '*' ? '*' : shell.allowedOrigins && [...shell.allowedOrigins],
    ...(options.trustedUserHeader !== undefined && { trustedUserHeader: options.trustedUserHeader }),
    ...(shell.hstsSeconds !== undefined && { hstsSeconds: shell.hstsSeconds }),
    ...(limits.bytesMax !== undefined && { uploadBytesMax: limits.bytesMax }),
    ...(limits.parallelMax !== undefined && { uploadsParallelMax: limits.parallelMax }),
  });
  const application = applicationOn(
    { log: memory },
    {
      log,
      feed: options.feed ?? memory,
      ...(options.attachments && { attachments: options.attachments }),
    },
  );
  const progress = new PatientProgress();
  base.stops.add(() => progress.stop());
  const reading = await openReading(
    base,
    { application, databaseUrl: options.databaseUrl ?? NO_DATABASE, progressOf: () => progress },
    { intervalMs: 600_000, answerMsMax: 200 },
  );
  const { database, logHead } = reading;
  // Past what stands between the API and its log: its troubles are the API's to show.
  const beside = { ...aloneOnline(), application: { ...application, log: memory, feed: memory } };
  const realtime = await openRealtime(base, beside);
  const gate = openGate(base, application.clock);
  const receipts = options.receipts ?? new MemoryReceipts();
  const parts: HttpParts = {
    application,
    reading: { ...reading, ...(options.reads && { reads: options.reads(database, logHead) }) },
    realtime: {
      presence: { online: options.online ?? (async () => new Set<string>()) },
      readMarks: new ReadMarks({ application, receipts, timers: systemTimers }),
      eventStreams: openEventStreams(
        base,
        realtime,
        gate,
        options.eventStreams && { beatMs: options.eventStreams.beatMs },
      ),
    },
    health: { ...HEALTH, ...options.health },
  };
  const tuning = { bodyMsMax: shell.bodyMsMax, server: options.server, uploads: pace(limits) };
  const server = await openHttp(base, parts, tuning);
  const url = `http://127.0.0.1:${server.port}`;
  const { uploads, logged } = base;
  const routes = servedRoutes(apiRoutes(httpDeps(base, parts, tuning)));
  return {
    ...{
      url,
      port: server.port,
      log: memory,
      realtime,
      gate,
      receipts,
      database,
      progress,
      logHead,
      application,
    },
    ...{ uploads, logged, routes },
    call: (...request) => call(url, ...request),
    eventsInLog: async () => (await memory.status()).lastSeq,
    stop: () => base.stops.run(),
  };
}

/** A database that nothing listens for. */
const NO_DATABASE = 'postgresql://nobody@127.0.0.1:1/none';

const HEALTH: HealthDeps = {
  fsyncPolicy: 'test',
  publishAckMs: () => 1.5,
  logState: () => 'available',
  lagSecondsMax: 60,
  isDraining: () => false,
};

function pace({ stallMsMax, uploadMsMax }: Partial<UploadLimits>) {
  return {
    ...(stallMsMax !== undefined && { stallMsMax }),
    ...(uploadMsMax !== undefined && { uploadMsMax }),
  };
}

/** Calls an API wherever it is. A body that is no string or bytes is sent as JSON. */
export async function call(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const asItIs = typeof body === 'string' || body instanceof Uint8Array;
  const response = await fetch(url + path, {
    method,
    headers: { ...(body !== undefined && { 'Content-Type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: asItIs ? new Uint8Array(Buffer.from(body)) : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
}
