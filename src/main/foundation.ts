import { fileURLToPath } from 'node:url';
import type { NatsConnection } from 'nats';
import { type ApplicationContext, openApplication } from '../application/context.ts';
import { ReadMarks } from '../application/receipts/readMarks.ts';
import { openConfiguredLog, openConfiguredReceipts } from '../eventlog/jetstream/configuredLog.ts';
import type { JetStreamLog } from '../eventlog/jetstream/jetStreamLog.ts';
import { fitSizes } from '../eventlog/jetstream/streamSizes.ts';
import { type Config, loadConfig } from '../platform/config/config.ts';
import { type EmbeddedServers, startEmbeddedServers } from '../platform/embedded/embeddedServers.ts';
import { projectRootUrl } from '../platform/embedded/projectRootUrl.ts';
import { newEdgeId, systemIds } from '../platform/ids.ts';
import { connectNats } from '../platform/nats/connection.ts';
import { listenForProgress } from '../platform/nats/projectionProgress.ts';
import { migrate } from '../platform/postgres/migrations/migrate.ts';
import { systemClock } from '../platform/time/clock.ts';
import { systemTimers } from '../platform/time/timers.ts';
import type { ReadModelProgress } from '../ports/readModelProgress.ts';
import type { ReceiptLog } from '../ports/receipts.ts';
import type { Base } from './base.ts';
import { confirmLog } from './parts/confirmLog.ts';
import { openPresence, type PresencePart } from './parts/presence.ts';
import { openSharedCaches, sharedConversations } from './parts/sharedCaches.ts';
import { openUploads } from './parts/uploads.ts';

/** What every role is built from. */
export interface Foundation extends Base, PresencePart {
  readonly connection: NatsConnection;
  readonly log: JetStreamLog;
  readonly application: ApplicationContext;
  readonly receipts: ReceiptLog;
  readonly readMarks: ReadMarks;
  /** How far a read model is, by its name. */
  readonly progressOf: (projection: string) => ReadModelProgress;
  readonly databaseUrl: string;
}

/** Servers, schema, log and application, in the order in which they stand on each other. */
export async function openFoundation(ground: Base): Promise<Foundation> {
  const servers = await openServers(ground);
  const base = { ...ground, config: fitted(ground, servers) };
  const { config, lifecycle, stops } = base;
  const connection = await connectNats({
    url: servers.natsUrl,
    name: 'chat-backend',
    onEvent: lifecycle.nats,
  });
  stops.add(() => connection.close());
  const databaseUrl = servers.databaseUrl ?? '';
  const edgeId = newEdgeId();
  const sharedCaches = openSharedCaches(base, edgeId);
  const { log, listeners } = await openLog(base, connection, servers);
  const receipts = await openConfiguredReceipts(config, connection);
  stops.add(() => receipts.close(config.shutdownTimeoutMs));
  if (needsDatabase(config)) await migrateDatabase(base, databaseUrl);
  const application = openApplication({
    log,
    feed: log,
    attachments: await openUploads(base, servers.natsUrl),
    clock: systemClock,
    ids: systemIds,
    ...sharedConversations(sharedCaches),
  });
  lifecycle.watch.cache('conversations', application.conversations);
  // Another log than before: nothing that was read from the old one can be trusted.
  listeners.onEpochChanged = () => application.conversations.clear();
  // Before anything is appended: a log that lost its tail would take events under sequences that were used before.
  await confirmLog(base, log, databaseUrl);
  const presence = openPresence(base, { connection, edgeId, sharedCaches });
  const readMarks = new ReadMarks({ application, receipts, timers: systemTimers });
  const progressOf = progressOver(base, connection);
  return { ...base, ...presence, connection, log, application, receipts, readMarks, progressOf, databaseUrl };
}

/** Embedded servers, for those that no setting names. */
async function openServers({ config, lifecycle, stops, signal }: Base): Promise<EmbeddedServers> {
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
  return servers;
}

/** The settings, with streams no larger than the disk of an embedded nats-server allows. */
function fitted({ config, logger }: Base, { storeBytesMax }: EmbeddedServers): Config {
  if (storeBytesMax === null) return config;
  const sizes = fitSizes(config, loadConfig({}), storeBytesMax);
  if (sizes !== config) {
    const { streamBytesMax, receiptsBytesMax, uploadsBytesMax } = sizes;
    const fields = { component: 'log', storeBytesMax, streamBytesMax, receiptsBytesMax, uploadsBytesMax };
    logger.warn(fields, 'the disk is small: streams are made smaller than the defaults');
  }
  return sizes;
}

/** The log, and what is still to be attached to its events when it opens. */
async function openLog(
  { config, lifecycle, stops }: Base,
  connection: NatsConnection,
  servers: EmbeddedServers,
) {
  const listeners = { onEpochChanged: () => {} };
  const log = await openConfiguredLog(config, connection, (event) => {
    lifecycle.log(event);
    if (event.type === 'epochChanged') {
      listeners.onEpochChanged();
      // A power cut must not take the new epoch back.
      servers.flushLog().catch(lifecycle.fault('embedded'));
    }
    if (event.type === 'logTakesNothing') servers.natsTakesNothing();
  });
  stops.add(() => log.close(config.shutdownTimeoutMs));
  lifecycle.watch.publishAck(() => log.publishAckMs);
  return { log, listeners };
}

/** One subscription for each read model that somebody asks for. */
function progressOver({ stops }: Base, connection: NatsConnection): Foundation['progressOf'] {
  const known = new Map<string, ReadModelProgress>();
  return (projection) => {
    const open = known.get(projection);
    if (open !== undefined) return open;
    const { progress, stop } = listenForProgress(connection, projection);
    stops.add(stop);
    known.set(projection, progress);
    return progress;
  };
}

/** The edge never touches Postgres: a process that is nothing else runs without it. */
function needsDatabase({ roles }: Config): boolean {
  return roles.some((role) => role !== 'edge');
}

async function migrateDatabase({ logger }: Base, url: string): Promise<void> {
  await migrate({
    url,
    directory: fileURLToPath(new URL('prisma/migrations', projectRootUrl())),
    onApply: (name) => logger.info({ component: 'migrate', migration: name }, 'applying migration'),
  });
}
