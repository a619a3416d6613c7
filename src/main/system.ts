import { fileURLToPath } from 'node:url';
import type { NatsConnection } from 'nats';
import type { Logger } from 'pino';
import type { ApplicationContext } from '../application/context.ts';
import { ConversationStore } from '../application/conversations/conversationStore.ts';
import { Presence } from '../application/presence/presence.ts';
import { ReadMarks } from '../application/receipts/readMarks.ts';
import { type Realtime, startRealtime } from '../edge/realtime.ts';
import {
  openConfiguredAttachments,
  openConfiguredLog,
  openConfiguredReceipts,
} from '../eventlog/jetstream/configuredLog.ts';
import type { JetStreamLog } from '../eventlog/jetstream/jetStreamLog.ts';
import { type LifecycleLog, lifecycleLog } from '../observability/lifecycle.ts';
import { Metrics } from '../observability/metrics.ts';
import { signalFaultLog } from '../observability/subscribers/signals.ts';
import type { Config } from '../platform/config/config.ts';
import { startEmbeddedServers } from '../platform/embedded/embeddedServers.ts';
import { projectRootUrl } from '../platform/embedded/projectRootUrl.ts';
import { newEdgeId, systemIds } from '../platform/ids.ts';
import { connectNats } from '../platform/nats/connection.ts';
import { listenForProgress } from '../platform/nats/projectionProgress.ts';
import { migrate } from '../platform/postgres/migrations/migrate.ts';
import { NatsSignals } from '../platform/signals/natsSignals.ts';
import { systemClock } from '../platform/time/clock.ts';
import { systemTimers } from '../platform/time/timers.ts';
import type { ReadModelProgress } from '../ports/readModelProgress.ts';
import type { ReceiptLog } from '../ports/receipts.ts';
import type { Signals } from '../ports/signals.ts';
import { announce } from './announcement.ts';
import { type SharedCaches, sharedConversations, startSharedCaches } from './parts/sharedCaches.ts';
import { startApi } from './roles/api.ts';
import { startEdgeRole } from './roles/edge.ts';
import { startProjector } from './roles/projector.ts';
import { StopSequence } from './stopSequence.ts';

/** What every role is built from. */
export interface Foundation {
  readonly config: Config;
  readonly logger: Logger;
  readonly lifecycle: LifecycleLog;
  readonly metrics: Metrics;
  readonly connection: NatsConnection;
  readonly log: JetStreamLog;
  readonly application: ApplicationContext;
  /** Typing and presence between processes. */
  readonly signals: Signals;
  /** Who is online anywhere; one for all roles of the process. */
  readonly presence: Presence;
  readonly receipts: ReceiptLog;
  readonly readMarks: ReadMarks;
  /** How far the read model `history` is. */
  readonly historyProgress: ReadModelProgress;
  readonly databaseUrl: string;
  readonly isDraining: () => boolean;
}

export interface System {
  stop(): Promise<void>;
}

/**
 * Starts the system in the order in which its parts stand on each other: servers, log, schema, then the roles. What was
 * started is stopped again, in reverse order, when a later part fails.
 */
export async function startSystem(config: Config, logger: Logger, signal: AbortSignal): Promise<System> {
  const stops = new StopSequence();
  try {
    const foundation = await startFoundation(config, logger, stops, signal);
    const ports = await startRoles(foundation, stops);
    announce(config, ports);
    return { stop: () => stops.run() };
  } catch (error) {
    await stops.run();
    throw error;
  }
}

async function startFoundation(
  config: Config,
  logger: Logger,
  stops: StopSequence,
  signal: AbortSignal,
): Promise<Foundation> {
  const metrics = new Metrics();
  const lifecycle = lifecycleLog(logger, metrics, { slowQueryMs: config.slowQueryMs });
  const servers = await startEmbeddedServers({
    dataDir: config.dataDir,
    roles: config.roles,
    natsUrl: config.natsUrl,
    databaseUrl: config.databaseUrl,
    databaseNeeded: needsDatabase(config),
    natsServerBin: process.env.NATS_SERVER_BIN,
    natsSyncIntervalMs: config.natsSyncIntervalMs,
    onEvent: lifecycle.server,
    signal,
  });
  stops.add(() => servers.stop());
  const connection = await connectNats({
    url: servers.natsUrl,
    name: 'chat-backend',
    onEvent: lifecycle.nats,
  });
  stops.add(() => connection.close());
  const caches: { conversations?: ConversationStore } = {};
  const log = await openConfiguredLog(config, connection, (event) => {
    lifecycle.log(event);
    // Another log than before: nothing that was read from it can be trusted.
    if (event.type === 'epochChanged') caches.conversations?.clear();
    if (event.type === 'logTakesNothing') servers.natsTakesNothing();
  });
  stops.add(() => log.close(config.shutdownTimeoutMs));
  const receipts = await openConfiguredReceipts(config, connection);
  stops.add(() => receipts.close(config.shutdownTimeoutMs));
  const databaseUrl = servers.databaseUrl ?? '';
  if (needsDatabase(config)) await migrateDatabase(databaseUrl, logger);
  const edgeId = newEdgeId();
  const sharedCaches = startSharedCaches(config.redisUrl, edgeId, lifecycle, stops);
  const conversations = new ConversationStore(log, { shared: sharedConversations(sharedCaches) });
  lifecycle.watch.cache('conversations', conversations);
  caches.conversations = conversations;
  const attachments = await openUploads(config, servers.natsUrl, lifecycle, stops);
  const application = { log, feed: log, conversations, attachments, clock: systemClock, ids: systemIds };
  const isDraining = () => signal.aborted;
  const shared = startSignals(connection, logger, stops, edgeId, sharedCaches);
  lifecycle.watch.publishAck(() => log.publishAckMs);
  const parts = { config, logger, lifecycle, metrics, connection, log, application };
  const readMarks = new ReadMarks({ application, receipts, timers: systemTimers });
  const { progress: historyProgress, stop } = listenForProgress(connection, 'history');
  stops.add(stop);
  return { ...parts, ...shared, receipts, readMarks, historyProgress, databaseUrl, isDraining };
}

/** Over a connection of its own: messages do not wait behind chunks of files. */
async function openUploads(config: Config, url: string, lifecycle: LifecycleLog, stops: StopSequence) {
  const connection = await connectNats({ url, name: 'chat-backend uploads', onEvent: lifecycle.nats });
  stops.add(() => connection.close());
  const attachments = await openConfiguredAttachments(config, connection);
  stops.add(() => attachments.close(config.shutdownTimeoutMs));
  return attachments;
}

/** Stopped after the roles, so that nobody is announced as gone who may still be told something. */
function startSignals(
  connection: NatsConnection,
  logger: Logger,
  stops: StopSequence,
  edgeId: string,
  sharedCaches: SharedCaches | null,
): Pick<Foundation, 'signals' | 'presence'> {
  const started: { presence?: Presence } = {};
  const signals = new NatsSignals(connection, {
    onFault: signalFaultLog(logger, systemClock.nowMs),
    onReconnect: () => started.presence?.refresh(),
  });
  stops.add(() => signals.close());
  const shared = sharedCaches?.presence;
  const presence = new Presence({ signals, clock: systemClock, timers: systemTimers, edgeId, shared });
  started.presence = presence;
  stops.add(() => presence.stop());
  return { signals, presence };
}

/** The edge never touches Postgres: a process that is nothing else runs without it. */
function needsDatabase({ roles }: Config): boolean {
  return roles.some((role) => role !== 'edge');
}

async function migrateDatabase(url: string, logger: Logger): Promise<void> {
  await migrate({
    url,
    directory: fileURLToPath(new URL('prisma/migrations', projectRootUrl())),
    onApply: (name) => logger.info({ component: 'migrate', migration: name }, 'applying migration'),
  });
}

/** Ports that were taken, by role. */
export interface Ports {
  readonly api: number | null;
  readonly edge: number | null;
}

async function startRoles(foundation: Foundation, stops: StopSequence): Promise<Ports> {
  const { roles } = foundation.config;
  const serves = roles.includes('api') || roles.includes('edge');
  const realtime = serves ? await startRealtimeRole(foundation, stops) : null;
  const api = realtime !== null && roles.includes('api') ? await startApi(foundation, realtime, stops) : null;
  const edge =
    realtime !== null && roles.includes('edge') ? await startEdgeRole(foundation, realtime, stops) : null;
  if (roles.includes('projector')) startProjector(foundation, stops);
  return { api, edge };
}

/** The tail of the log: keeps cached conversations fresh, and feeds whoever listens at this process. */
async function startRealtimeRole(foundation: Foundation, stops: StopSequence): Promise<Realtime> {
  const { config, application, signals, presence, readMarks, historyProgress } = foundation;
  const { lifecycle } = foundation;
  const realtime = await startRealtime({
    application,
    signals,
    presence,
    readMarks,
    historyProgress,
    joinsPerSocketMax: config.joinsPerSocketMax,
    recentEventsMax: config.recentEventsMax,
    recentBytesMax: config.recentBytesMax,
    onEvent: lifecycle.edge,
    onFault: lifecycle.fault('edge'),
  });
  stops.add(() => realtime.stop());
  lifecycle.watch.liveFeed(realtime.feed);
  return realtime;
}
