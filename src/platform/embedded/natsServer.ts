import { mkdirSync, statfsSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { NatsServerMissingError } from './errors.ts';
import { onPort } from './keptPort.ts';
import { natsServerVersion } from './natsVersion.ts';
import { stopOrphan } from './orphans.ts';
import { projectRoot } from './projectRoot.ts';
import { type ServerProcess, spawnServer, waitUntilReady } from './serverProcess.ts';

export interface EmbeddedNatsOptions {
  /** Holds `nats/` (the store), `nats.log`, `nats.pid` and `nats.port`. Must exist. */
  readonly dataDir: string;
  /** Path or name of the nats-server binary. */
  readonly binary: string;
  /** Fixed port; without it the one kept in the data folder, or a free one. */
  readonly port?: number | undefined;
  /** Most bytes of all streams together, at most three quarters of the disk. Default 20 GiB. */
  readonly fileStoreBytesMax?: number | undefined;
  /** Most bytes of memory streams. Default 256 MiB. */
  readonly memoryBytesMax?: number | undefined;
  /** Longest time until an acknowledged message is on the disk; ignored by 2.9, where it is 60 s. Default 1 s. */
  readonly syncIntervalMs?: number | 'always' | undefined;
  /** How long it may take to recover its streams and answer. Default 60 s. */
  readonly startTimeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface EmbeddedServer extends ServerProcess {
  readonly url: string;
  readonly port: number;
}

const defaults = {
  fileStoreBytesMax: 20 * 1024 ** 3,
  memoryBytesMax: 256 * 1024 ** 2,
  syncIntervalMs: 1_000,
  startTimeoutMs: 60_000,
};

/** SIGINT makes nats-server flush and close its stores. */
const stopSignals = [{ signal: 'SIGINT', waitMs: 15_000 }] as const;

/**
 * Starts a nats-server with JetStream on a loopback port and resolves when it answers. One that an earlier run left
 * behind on this data folder is ended first.
 *
 * @throws NatsServerMissingError, NatsServerTooOldError, PortTakenError, ServerExitedEarlyError, ServerStartTimeoutError
 */
export async function startEmbeddedNats(options: EmbeddedNatsOptions): Promise<EmbeddedServer> {
  const { dataDir, binary } = options;
  const [major, minor] = await natsServerVersion(binary);
  const config = join(projectRoot(), 'nats', major === 2 && minor < 10 ? 'single-2.9.conf' : 'single.conf');
  mkdirSync(storeFolder(dataDir), { recursive: true });
  await stopOrphan({ server: 'nats-server', pidFile: pidFile(dataDir), dataDir, stopSignals });
  const place = { server: 'nats-server', file: join(dataDir, 'nats.port'), fixed: options.port };
  return onPort(place, (port) => startOn(port, config, options));
}

async function startOn(port: number, config: string, options: EmbeddedNatsOptions): Promise<EmbeddedServer> {
  const { dataDir, binary, signal } = options;
  const logFile = join(dataDir, 'nats.log');
  const server = await spawnServer({
    command: binary,
    // The server writes its own pid, so that it is known even if the app is killed right after the spawn.
    args: ['-c', config, '-P', pidFile(dataDir)],
    cwd: dataDir,
    env: environment(options, port),
    logFile,
    stopSignals,
  }).catch((cause: unknown) => {
    throw new NatsServerMissingError(binary, cause);
  });
  const timeoutMs = options.startTimeoutMs ?? defaults.startTimeoutMs;
  const probe = () => answersAsNats(port);
  await waitUntilReady({ server: 'nats-server', process: server, probe, timeoutMs, logFile, signal });
  return { ...server, url: `nats://127.0.0.1:${port}`, port };
}

/** Where the streams are below the data folder; may be a disk of its own. */
export function storeFolder(dataDir: string): string {
  return join(dataDir, 'nats');
}

function pidFile(dataDir: string): string {
  return join(dataDir, 'nats.pid');
}

function environment(options: EmbeddedNatsOptions, port: number): NodeJS.ProcessEnv {
  // The server parses a variable as a value of its configuration language: text wants its quotes.
  return {
    ...process.env,
    CHAT_NATS_SERVER_NAME: '"chat-embedded"',
    CHAT_NATS_PORT: String(port),
    CHAT_NATS_STORE_DIR: JSON.stringify(storeFolder(options.dataDir)),
    CHAT_NATS_MAX_FILE_STORE: String(fileStoreBytes(options)),
    CHAT_NATS_MAX_MEM: String(options.memoryBytesMax ?? defaults.memoryBytesMax),
    CHAT_NATS_SYNC_INTERVAL: JSON.stringify(syncInterval(options.syncIntervalMs ?? defaults.syncIntervalMs)),
  };
}

function syncInterval(interval: number | 'always'): string {
  return interval === 'always' ? interval : `${interval}ms`;
}

/**
 * Stays below the disk's size, so that the limit is met before the disk is full. Counted from its size and not from
 * what is free, which changes: a limit that shrinks below what the streams reserve would keep them from recovering.
 */
export function fileStoreBytes(options: Pick<EmbeddedNatsOptions, 'dataDir' | 'fileStoreBytesMax'>): number {
  const { blocks, bsize } = statfsSync(storeFolder(options.dataDir));
  return Math.min(options.fileStoreBytesMax ?? defaults.fileStoreBytesMax, Math.floor(blocks * bsize * 0.75));
}

/** A nats-server greets every connection with INFO, and listens only after its streams are recovered. */
function answersAsNats(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 1_000 });
    const answer = (ready: boolean): void => {
      socket.destroy();
      resolve(ready);
    };
    socket.once('data', (bytes) => answer(bytes.subarray(0, 5).toString() === 'INFO '));
    socket.once('error', () => answer(false));
    socket.once('timeout', () => answer(false));
    socket.once('close', () => answer(false));
  });
}
