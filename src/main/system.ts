import { fileURLToPath } from 'node:url';
import type { NatsConnection } from 'nats';
import type { Logger } from 'pino';
import type { ApplicationContext } from '../application/context.ts';
import { ConversationStore } from '../application/conversationStore.ts';
import { type JetStreamLog, openJetStreamLog } from '../eventlog/jetstream/jetStreamLog.ts';
import { systemClock } from '../platform/clock.ts';
import type { Config } from '../platform/config.ts';
import { startEmbeddedServers } from '../platform/embedded/embeddedServers.ts';
import { newEpoch, systemIds } from '../platform/ids.ts';
import { migrate } from '../platform/migrate.ts';
import { connectNats } from '../platform/nats.ts';
import { projectRootUrl } from '../platform/projectRootUrl.ts';
import { announce } from './announcement.ts';
import { type LifecycleLog, lifecycleLog } from './logging.ts';
import { startApi } from './roles/api.ts';
import { startEdgeRole } from './roles/edge.ts';
import { startProjector } from './roles/projector.ts';
import { StopSequence } from './stopSequence.ts';

/** What every role is built from. */
export interface Foundation {
  readonly config: Config;
  readonly logger: Logger;
  readonly lifecycle: LifecycleLog;
  readonly connection: NatsConnection;
  readonly log: JetStreamLog;
  readonly application: ApplicationContext;
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
  const lifecycle = lifecycleLog(logger);
  const servers = await startEmbeddedServers({
    dataDir: config.dataDir,
    roles: config.roles,
    natsUrl: config.natsUrl,
    databaseUrl: config.databaseUrl,
    natsServerBin: process.env.NATS_SERVER_BIN,
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
  const log = await openLog(config, connection, lifecycle);
  stops.add(() => log.close(config.shutdownTimeoutMs));
  await migrate({
    url: servers.databaseUrl,
    directory: fileURLToPath(new URL('prisma/migrations', projectRootUrl())),
    onApply: (name) => logger.info({ component: 'migrate', migration: name }, 'applying migration'),
  });
  const conversations = new ConversationStore(log);
  const application = { log, feed: log, conversations, clock: systemClock, ids: systemIds };
  const { databaseUrl } = servers;
  const isDraining = () => signal.aborted;
  return { config, logger, lifecycle, connection, log, application, databaseUrl, isDraining };
}

function openLog(config: Config, connection: NatsConnection, lifecycle: LifecycleLog): Promise<JetStreamLog> {
  return openJetStreamLog({
    connection,
    definition: new URL('nats/streams/CHAT_EVENTS.json', projectRootUrl()),
    settings: { maxBytes: config.streamBytesMax, replicas: config.streamReplicas },
    publisher: {
      windowMax: config.publishWindowMessages,
      queueMax: config.publishQueueMessagesMax,
      ackTimeoutMs: config.publishAckTimeoutMs,
      deadlineMs: config.publishDeadlineMs,
    },
    makeEpoch: newEpoch,
    onEvent: lifecycle.log,
  });
}

/** Ports that were taken, by role. */
export interface Ports {
  readonly api: number | null;
  readonly edge: number | null;
}

async function startRoles(foundation: Foundation, stops: StopSequence): Promise<Ports> {
  const { roles } = foundation.config;
  const api = roles.includes('api') ? await startApi(foundation, stops) : null;
  const edge = roles.includes('edge') ? await startEdgeRole(foundation, stops) : null;
  if (roles.includes('projector')) startProjector(foundation, stops);
  return { api, edge };
}
