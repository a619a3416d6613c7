import { Writable } from 'node:stream';
import pino from 'pino';
import type { ApplicationContext } from '../../../src/application/context.ts';
import { ConversationStore } from '../../../src/application/conversations/conversationStore.ts';
import type { Presence } from '../../../src/application/presence/presence.ts';
import { LogHistory } from '../../../src/application/reading/logHistory.ts';
import { ReadMarks } from '../../../src/application/receipts/readMarks.ts';
import { drain } from '../../../src/edge/drain.ts';
import { AdmissionControl } from '../../../src/edge/gate/admission.ts';
import { type Realtime, startRealtime } from '../../../src/edge/realtime.ts';
import { EventStreamTransport } from '../../../src/edge/transports/sse/eventStreamTransport.ts';
import { MemoryAttachments } from '../../../src/eventlog/memory/memoryAttachments.ts';
import { MemoryEventLog } from '../../../src/eventlog/memory/memoryEventLog.ts';
import { MemoryReceipts } from '../../../src/eventlog/memory/memoryReceipts.ts';
import { type ServedRoute, servedRoutes } from '../../../src/http/answer/resource.ts';
import { apiRoutes, createHttpApp } from '../../../src/http/app.ts';
import type { HealthDeps, HttpDeps } from '../../../src/http/deps.ts';
import { type HttpServerOptions, startHttpServer } from '../../../src/http/server/server.ts';
import type { UploadEvent } from '../../../src/http/uploads/uploadEvents.ts';
import type { UploadLimits } from '../../../src/http/uploads/uploadLimits.ts';
import type { StandardHeadersOptions } from '../../../src/middleware/standardHeaders.ts';
import { Metrics } from '../../../src/observability/metrics.ts';
import { systemIds } from '../../../src/platform/ids.ts';
import { PolledLogHead } from '../../../src/platform/log/logHead.ts';
import { AnnouncedProgress } from '../../../src/platform/nats/projectionProgress.ts';
import { type Database, openDatabase, type Reads } from '../../../src/platform/postgres/database.ts';
import { systemClock } from '../../../src/platform/time/clock.ts';
import { systemTimers } from '../../../src/platform/time/timers.ts';
import type { AttachmentStore } from '../../../src/ports/attachmentStore.ts';
import type { EventFeed } from '../../../src/ports/eventFeed.ts';
import type { EventLog } from '../../../src/ports/eventLog.ts';
import { aloneOnline } from '../edge/aloneOnline.ts';

export interface TestApiOptions {
  /** Default: one that nobody listens at. */
  readonly databaseUrl?: string;
  /** What the API takes for the log; default: {@link TestApi.log} itself. */
  readonly log?: (log: MemoryEventLog) => EventLog;
  /** What the API follows; default: {@link TestApi.log}. */
  readonly feed?: EventFeed;
  /** Where history and search are read; default: the database. */
  readonly reads?: (database: Database, logHead: PolledLogHead) => Reads;
  readonly attachments?: AttachmentStore;
  readonly receipts?: MemoryReceipts;
  /** Event streams at a time; default: 100. */
  readonly streamsMax?: number;
  readonly uploads?: Partial<UploadLimits>;
  readonly health?: Partial<HealthDeps>;
  /** Who is online; default: nobody. */
  readonly online?: Presence['online'];
  readonly shell?: StandardHeadersOptions;
  readonly server?: Partial<HttpServerOptions>;
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
  readonly receipts: MemoryReceipts;
  readonly database: Database;
  readonly progress: AnnouncedProgress;
  /** Looked at once, when the API started; `ask()` looks again. */
  readonly logHead: PolledLogHead;
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

/** The real HTTP API on a free port, on a log in memory and, if told where one is, a real database. */
export async function startTestApi(options: TestApiOptions = {}): Promise<TestApi> {
  const memory = new MemoryEventLog();
  const log = options.log?.(memory) ?? memory;
  const databaseUrl = options.databaseUrl ?? 'postgresql://nobody@127.0.0.1:1/none';
  const database = openDatabase({ url: databaseUrl, applicationName: 'test api' });
  const logHead = await PolledLogHead.start({ log, nowMs: Date.now, intervalMs: 600_000, answerMsMax: 200 });
  const progress = new AnnouncedProgress();
  const uploads: UploadEvent[] = [];
  const logged: Record<string, unknown>[] = [];
  const conversations = new ConversationStore(log);
  const feed = options.feed ?? memory;
  const application = {
    log,
    feed,
    conversations,
    attachments: options.attachments ?? new MemoryAttachments(),
    clock: systemClock,
    ids: systemIds,
  };
  const health = {
    fsyncPolicy: 'test',
    publishAckMs: () => 1.5,
    logState: () => 'available',
    lagSecondsMax: 60,
    isDraining: () => false,
  };
  const receipts = options.receipts ?? new MemoryReceipts();
  const realtime = await startRealtime({
    // Past what stands between the API and its log: its troubles are the API's to show.
    application: { ...application, log: memory, feed: memory },
    ...aloneOnline(),
    joinsPerSocketMax: 10,
    onEvent: () => {},
    onFault: () => {},
  });
  const eventStreams = new EventStreamTransport(realtime.context, {
    admission: new AdmissionControl({
      perSecondMax: 1_000,
      connectionsMax: options.streamsMax ?? 100,
      nowMs: Date.now,
    }),
    backpressureBytesMax: 64 * 1_024,
    onEvent: () => {},
  });
  const deps: HttpDeps = {
    application,
    database,
    reads: options.reads?.(database, logHead) ?? database,
    logHistory: new LogHistory({ log, feed }),
    logHead,
    historyProgress: progress,
    inboxProgress: progress,
    searchProgress: progress,
    presence: { online: options.online ?? (async () => new Set<string>()) },
    readMarks: new ReadMarks({ application, receipts, timers: systemTimers }),
    eventStreams,
    uploads: {
      limits: { bytesMax: 10 * 1_024 ** 2, parallelMax: 32, ...options.uploads },
      onEvent: (event) => uploads.push(event),
    },
    metrics: new Metrics(),
    logger: pino({ level: 'info' }, linesInto(logged)),
    health: { ...health, ...options.health },
    ...(options.shell && { shell: options.shell }),
  };
  const app = createHttpApp(deps);
  const server = await startHttpServer({ app, port: 0, host: '127.0.0.1', ...options.server });
  const url = `http://127.0.0.1:${server.port}`;
  const stop = async () => {
    logHead.stop();
    progress.stop();
    await drain([eventStreams], 500);
    eventStreams.stop();
    await realtime.stop();
    await server.stop({ deadlineMs: 2_000 });
    await database.close();
  };
  const eventsInLog = async () => (await memory.status()).lastSeq;
  const api = {
    url,
    realtime,
    receipts,
    port: server.port,
    log: memory,
    database,
    progress,
    logHead,
    logged,
    application,
    uploads,
    routes: servedRoutes(apiRoutes(deps)),
    eventsInLog,
    stop,
  };
  return { ...api, call: (...request) => call(url, ...request) };
}

function linesInto(lines: Record<string, unknown>[]): Writable {
  return new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)));
      done();
    },
  });
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
