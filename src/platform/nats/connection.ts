import { connect, Events, type NatsConnection } from 'nats';
import { jittered } from '../time/jitter.ts';

/** What happened to the connection; the composition root logs it. */
export type NatsEvent =
  | { readonly type: 'natsConnected'; readonly server: string; readonly version: string }
  | { readonly type: 'natsDisconnected' }
  | { readonly type: 'natsReconnected'; readonly server: string }
  | { readonly type: 'natsError'; readonly reason: string };

export interface NatsOptions {
  /** One URL or several, separated by commas. */
  readonly url: string;
  /** Shown by the server's connection list. */
  readonly name: string;
  readonly onEvent?: (event: NatsEvent) => void;
  /** How long to try at start, in milliseconds. Default 10,000. */
  readonly connectTimeoutMs?: number;
}

/** The server cannot be reached or must not be used. */
export class NatsConnectError extends Error {
  override readonly name = 'NatsConnectError';
}

/**
 * Connects and stays connected: later interruptions are retried without end, with jitter. Two unanswered pings, 10 s
 * apart, count as an interruption, so that a frozen server is noticed.
 *
 * @throws NatsConnectError when no server answers in time or its version is not supported
 */
export async function connectNats(options: NatsOptions): Promise<NatsConnection> {
  const connection = await firstConnect(options);
  const { version, cluster } = connection.info ?? {};
  const problem = versionProblem(version ?? '0.0.0', cluster !== undefined);
  if (problem !== null) {
    await connection.close();
    throw new NatsConnectError(problem);
  }
  options.onEvent?.({ type: 'natsConnected', server: connection.getServer(), version: version ?? 'unknown' });
  void watchStatus(connection, options.onEvent ?? (() => {}));
  return connection;
}

async function firstConnect(options: NatsOptions): Promise<NatsConnection> {
  const deadline = Date.now() + (options.connectTimeoutMs ?? 10_000);
  for (;;) {
    try {
      return await connect({
        servers: options.url.split(','),
        name: options.name,
        timeout: 2_000,
        maxReconnectAttempts: -1,
        reconnectTimeWait: 200,
        reconnectJitter: 300,
        pingInterval: 10_000,
        maxPingOut: 2,
      });
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const message = `No nats-server answers at ${options.url} (${reason}). Start one there or set NATS_URL.`;
      if (Date.now() > deadline) throw new NatsConnectError(message, { cause });
      await new Promise((resolve) => setTimeout(resolve, jittered(250, 0.2, Math.random)));
    }
  }
}

async function watchStatus(connection: NatsConnection, onEvent: (event: NatsEvent) => void): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === Events.Disconnect) onEvent({ type: 'natsDisconnected' });
    if (status.type === Events.Reconnect) onEvent({ type: 'natsReconnected', server: String(status.data) });
    if (status.type === Events.Error) onEvent({ type: 'natsError', reason: String(status.data) });
  }
}

/** The version's numbers, for comparing; missing ones count as 0. */
export function parseVersion(version: string): [number, number, number] {
  const [major = 0, minor = 0, patch = 0] = version
    .split(/[.-]/)
    .map((part) => Number.parseInt(part, 10) || 0);
  return [major, minor, patch];
}

export function versionAtLeast(version: string, major: number, minor: number, patch = 0): boolean {
  const [a, b, c] = parseVersion(version);
  return a !== major ? a > major : b !== minor ? b > minor : c >= patch;
}

/** Why a server version must not be used; `null` when it may. Clustered 2.10.20–22 can lose a stream in a crash. */
export function versionProblem(version: string, clustered: boolean): string | null {
  if (!versionAtLeast(version, 2, 9, 10)) {
    return `nats-server ${version} is too old: 2.9.10 or newer is needed, 2.15.2 recommended.`;
  }
  const [major, minor, patch] = parseVersion(version);
  if (clustered && major === 2 && minor === 10 && patch >= 20 && patch <= 22) {
    return `nats-server ${version} can lose streams when clustered: upgrade to 2.10.23 or newer.`;
  }
  return null;
}
