import { rmSync, statfsSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { onPort } from './keptPort.ts';
import type { EmbeddedServer } from './natsServer.ts';
import { stopOrphan } from './orphans.ts';
import { type PostgresBinaries, postgresBinaries } from './postgresBinaries.ts';
import {
  clusterFolder,
  ensureCluster,
  type PostgresCluster,
  passwordFile,
  postgresRole,
} from './postgresCluster.ts';
import { PostgresPasswordError } from './postgresErrors.ts';
import { type ServerProcess, spawnServer, waitUntilReady } from './serverProcess.ts';

export interface EmbeddedPostgresOptions {
  /** Holds `postgres/` (the cluster), `postgres.log`, `postgres.port` and `postgres.password`. Must exist. */
  readonly dataDir: string;
  /** Fixed port; without it the one kept in the data folder, or a free one. */
  readonly port?: number | undefined;
  /** Server settings over the defaults, as in `{ fsync: 'off' }`. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
  /** How long crash recovery and the first answer may take. Default 60 s. */
  readonly startTimeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const databaseName = 'chat';
const startTimeoutMsDefault = 60_000;

/** No unix socket: its path is limited to 107 bytes, and a data folder's need not be. */
const settingsDefault = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  synchronous_commit: 'on',
  max_connections: '100',
  timezone: 'UTC',
  log_timezone: 'UTC',
} as const;

/** As much as the buffers take at most, in MB: more than that is for a server with an administrator. */
const BUFFERS_MB_MAX = 2_048;

/**
 * The buffers should hold the indexes that the projector writes into at random, or it reads them from the disk instead. A quarter
 * of the memory that this process may use, of which only what is used is taken. Source: PostgreSQL manual, 19.4.1.
 */
function sharedBuffers(): string {
  const limit = process.constrainedMemory();
  const total = totalmem();
  const quarterMb = (limit > 0 && limit < total ? limit : total) / 4 / 1_024 ** 2;
  return `${Math.floor(Math.min(Math.max(quarterMb, 128), BUFFERS_MB_MAX))}MB`;
}

/** Room for a checkpoint every few minutes under load, but never more than a tenth of the disk. */
function walSize(dataDir: string): string {
  const { blocks, bsize } = statfsSync(dataDir);
  const tenthMb = (blocks * bsize) / 10 / 1_024 ** 2;
  return `${Math.floor(Math.min(Math.max(tenthMb, WAL_MB_MIN), WAL_MB_MAX))}MB`;
}

const WAL_MB_MIN = 128;
const WAL_MB_MAX = 2_048;

/** SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one, after which it recovers from its log. */
const stopSignals = [
  { signal: 'SIGINT', waitMs: 15_000 },
  { signal: 'SIGQUIT', waitMs: 5_000 },
] as const;

/**
 * Starts PostgreSQL on a loopback port, making its cluster and the database `chat` when they are missing, and resolves
 * when it takes queries.
 * @throws the errors of {@link ensureCluster}, PostgresBinariesMissingError, PostgresPasswordError, PortTakenError,
 *   ServerExitedEarlyError, ServerStartTimeoutError
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedServer> {
  const { dataDir } = options;
  const binaries = await postgresBinaries();
  // First: a server that an earlier run left behind would be in the way of whatever comes next.
  await removeStalePidFile(dataDir, clusterFolder(dataDir));
  const cluster = await ensureCluster(dataDir, binaries);
  const place = { server: 'PostgreSQL', file: join(dataDir, 'postgres.port'), fixed: options.port };
  return onPort(place, (port) => startOn(port, binaries, cluster, options));
}

async function startOn(
  port: number,
  binaries: PostgresBinaries,
  cluster: PostgresCluster,
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedServer> {
  const { dataDir, signal } = options;
  const server = await spawnPostgres(options, binaries, cluster, port);
  const timeoutMs = options.startTimeoutMs ?? startTimeoutMsDefault;
  const probe = () => ensureDatabase(databaseUrl(port, cluster.password, 'postgres'), dataDir);
  const logFile = join(dataDir, 'postgres.log');
  await waitUntilReady({ server: 'PostgreSQL', process: server, probe, timeoutMs, logFile, signal });
  return { ...server, url: databaseUrl(port, cluster.password, databaseName), port };
}

function spawnPostgres(
  options: EmbeddedPostgresOptions,
  binaries: PostgresBinaries,
  { folder, launcher }: PostgresCluster,
  port: number,
): Promise<ServerProcess> {
  const logFile = join(options.dataDir, 'postgres.log');
  const settings = Object.entries({
    ...settingsDefault,
    shared_buffers: sharedBuffers(),
    max_wal_size: walSize(options.dataDir),
    port: String(port),
    ...options.settings,
  });
  const flags = settings.flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const { command, args } = launcher.wrap(binaries.postgres, ['-D', folder, ...flags]);
  const { uid, gid } = launcher;
  const identity = { ...(uid === undefined ? {} : { uid }), ...(gid === undefined ? {} : { gid }) };
  const env = { ...process.env, LC_MESSAGES: 'C' };
  return spawnServer({ command, args, cwd: '/', env, ...identity, logFile, stopSignals });
}

/**
 * PostgreSQL refuses to start when the pid in its lock file lives, even if a reused pid belongs to something else. So
 * a server of ours is ended first, and then the file goes.
 */
async function removeStalePidFile(dataDir: string, folder: string): Promise<void> {
  const pidFile = join(folder, 'postmaster.pid');
  await stopOrphan({ server: 'PostgreSQL', pidFile, dataDir, stopSignals });
  rmSync(pidFile, { force: true });
}

/** False while the server does not take queries yet; afterwards the database exists. */
async function ensureDatabase(url: string, dataDir: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  // A connection that breaks later also emits an error, which would end the process if nobody listened.
  client.on('error', () => {});
  try {
    await client.connect();
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [databaseName]);
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${databaseName}`);
    return true;
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === '28P01')
      throw new PostgresPasswordError(passwordFile(dataDir));
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

function databaseUrl(port: number, password: string, database: string): string {
  return `postgresql://${postgresRole}:${password}@127.0.0.1:${port}/${database}`;
}
