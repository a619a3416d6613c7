import { mkdirSync, realpathSync, statfsSync } from 'node:fs';
import { flushTree } from '../files/durableFile.ts';
import { lockDataDir } from './dataDirLock.ts';
import { type EmbeddedServer, fileStoreBytes, startEmbeddedNats, storeFolder } from './natsServer.ts';
import { startEmbeddedPostgres } from './postgresServer.ts';
import { RunRecord } from './runRecord.ts';
import type { ServerEvent, StartServer } from './supervisedServer.ts';
import { type Supervisor, supervise } from './supervisor.ts';

export interface EmbeddedServersOptions {
  /** Holds the servers' data, logs, ports and password, and `run.json`; made when missing. */
  readonly dataDir: string;
  /** The roles this process runs, for `run.json`. */
  readonly roles: readonly string[];
  /** URL of a nats-server to use; without it one is started here. */
  readonly natsUrl?: string | undefined;
  /** URL of a database to use; without it a PostgreSQL is started here, if one is needed. */
  readonly databaseUrl?: string | undefined;
  /** False for a process that has nothing to do with the database. Default true. */
  readonly databaseNeeded?: boolean | undefined;
  /** How soon nats-server flushes to disk, in milliseconds. */
  readonly natsSyncIntervalMs?: number | 'always' | undefined;
  /** Path or name of the nats-server binary. Default `nats-server`, from PATH. */
  readonly natsServerBin?: string | undefined;
  /** Most bytes of all streams together. Default 20 GiB, and never more than three quarters of the disk. */
  readonly fileStoreBytesMax?: number | undefined;
  readonly onEvent: (event: EmbeddedServerEvent) => void;
  /** Gives up the start, as on Ctrl-C while the database is being made. */
  readonly signal?: AbortSignal | undefined;
}

export type ServerName = 'nats' | 'postgres';

export type EmbeddedServerEvent = ServerEvent & { readonly server: ServerName };

export interface EmbeddedServers {
  readonly natsUrl: string;
  /** What all streams of the nats-server started here may hold together, in bytes; `null` for one that is not ours. */
  readonly storeBytesMax: number | null;
  /** `null` when no database is needed and none was named. */
  readonly databaseUrl: string | null;
  /**
   * Tells that the nats-server takes nothing, although it answers. One that was started here is restarted if there is room on
   * its disk: after a disk was full, nothing else makes it write again.
   */
  natsTakesNothing(): void;
  /** Brings to disk what the nats-server started here holds; of one that is not ours nothing can be said. */
  flushLog(): Promise<void>;
  /** Ends the servers started here, forgets `run.json` and gives the data folder back. May be called twice. */
  stop(): Promise<void>;
}

/**
 * Starts and supervises the servers that no URL was given for, both at once, and writes `run.json`. Servers that a
 * killed earlier run left behind on this data folder are ended first.
 *
 * @throws AlreadyRunningError and whatever `startEmbeddedNats` and `startEmbeddedPostgres` throw; nothing is left
 *   running then.
 */
export async function startEmbeddedServers(options: EmbeddedServersOptions): Promise<EmbeddedServers> {
  mkdirSync(options.dataDir, { recursive: true });
  // Resolved, so that a command line found later names exactly this folder.
  const dataDir = realpathSync(options.dataDir);
  const external =
    options.natsUrl !== undefined && (options.databaseUrl !== undefined || !needsDatabase(options));
  // Without servers of their own, several processes may share a data folder.
  const unlock = external ? (): void => undefined : lockDataDir(dataDir);
  const record = new RunRecord(dataDir, options);
  const started = await startMissing({ ...options, dataDir }, record).catch((error: unknown) => {
    unlock();
    throw error;
  });
  const [nats, postgres] = started;
  record.publish();
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await stopAll(started);
    record.remove();
    unlock();
  };
  return {
    natsUrl: options.natsUrl ?? urlOf(nats),
    storeBytesMax: nats === null ? null : fileStoreBytes({ ...options, dataDir }),
    databaseUrl: options.databaseUrl ?? (needsDatabase(options) ? urlOf(postgres) : null),
    natsTakesNothing: () => {
      if (nats !== null && hasRoom(storeFolder(dataDir))) nats.restart();
    },
    flushLog: async () => {
      if (nats !== null) await flushTree(storeFolder(dataDir));
    },
    stop: () => (stopping ??= stop()),
  };
}

/** Less than this would soon be full again, in bytes. */
const ROOM_BYTES_MIN = 64 * 1_024 ** 2;

function hasRoom(folder: string): boolean {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize >= ROOM_BYTES_MIN;
}

function needsDatabase(options: EmbeddedServersOptions): boolean {
  return options.databaseNeeded ?? true;
}

type Supervised = Supervisor<EmbeddedServer> | null;

type StartOnPort = (port: number | undefined, signal: AbortSignal) => Promise<EmbeddedServer>;

/** Both, or none and the error of the first that failed. */
async function startMissing(
  options: EmbeddedServersOptions,
  record: RunRecord,
): Promise<[Supervised, Supervised]> {
  const aborter = new AbortController();
  const signal =
    options.signal === undefined ? aborter.signal : AbortSignal.any([aborter.signal, options.signal]);
  const launch = async (name: ServerName, url: string | undefined, start: StartOnPort) => {
    if (url !== undefined || (name === 'postgres' && !needsDatabase(options))) return null;
    const onEvent = (event: ServerEvent): void => {
      record.note(name, event);
      options.onEvent({ ...event, server: name });
    };
    return supervise(keepingPort(start), { onEvent, signal });
  };
  const { dataDir, fileStoreBytesMax, natsSyncIntervalMs } = options;
  const binary = options.natsServerBin ?? 'nats-server';
  const starts = [
    launch('nats', options.natsUrl, (port, signal) =>
      startEmbeddedNats({
        dataDir,
        binary,
        fileStoreBytesMax,
        syncIntervalMs: natsSyncIntervalMs,
        port,
        signal,
      }),
    ),
    launch('postgres', options.databaseUrl, (port, signal) =>
      startEmbeddedPostgres({ dataDir, port, signal }),
    ),
  ] as const;
  try {
    return await Promise.all(starts);
  } catch (error) {
    aborter.abort();
    const ended = await Promise.allSettled(starts);
    await stopAll(ended.map((start) => (start.status === 'fulfilled' ? start.value : null)));
    throw error;
  }
}

/** A server that died comes back on its port, where its clients look for it. */
function keepingPort(start: StartOnPort): StartServer<EmbeddedServer> {
  let port: number | undefined;
  return async (signal) => {
    const server = await start(port, signal);
    port = server.port;
    return server;
  };
}

/** Every server is given the chance to end before the first failure is thrown. */
async function stopAll(servers: readonly Supervised[]): Promise<void> {
  const ended = await Promise.allSettled(servers.map((server) => server?.stop()));
  for (const end of ended) if (end.status === 'rejected') throw end.reason;
}

/** A server is missing exactly where a URL was given instead. */
function urlOf(server: Supervised): string {
  if (server === null) throw new Error('a server without a URL was not started');
  return server.first.url;
}
