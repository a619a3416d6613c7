import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { writeDurably } from '../files/durableFile.ts';
import { NoFreePortError, PortTakenError } from './errors.ts';

/**
 * Below the ranges from which Linux (32768) and macOS (49152) take the local ports of outgoing connections. A port
 * from that range can be taken while its server is down for a moment, even by a client that reconnects to it.
 */
const portMin = 15_000;
const portMax = 30_000;
const attemptsMax = 50;
const startsMax = 3;

export interface OnPortOptions {
  readonly server: string;
  /** Where the port is kept. */
  readonly file: string;
  /** Set when clients know the port already: then it is this one or none. */
  readonly fixed: number | undefined;
}

/**
 * Starts a server on its fixed port, or on the kept or a free one. Between the check and the server's own attempt
 * another program may take the port, so a start that failed with its port taken is tried again on another one.
 *
 * @throws PortTakenError, NoFreePortError, and what `start` throws
 */
export async function onPort<T>(
  { server, file, fixed }: OnPortOptions,
  start: (port: number) => Promise<T>,
): Promise<T> {
  if (fixed !== undefined) {
    if (await isPortFree(fixed)) return start(fixed);
    throw new PortTakenError(server, fixed);
  }
  for (let attempt = 1; ; attempt++) {
    const port = await keptPort(file);
    try {
      return await start(port);
    } catch (error) {
      if (attempt === startsMax || (await isPortFree(port))) throw error;
    }
  }
}

/**
 * The port kept in `file`, or a new free one, which is then kept there, so that a restarted server is where its
 * clients look for it.
 */
export async function keptPort(file: string): Promise<number> {
  const kept = readPort(file);
  if (kept !== null && (await isPortFree(kept))) return kept;
  const port = await freePort();
  writeDurably(file, `${port}\n`, { mode: 0o644 });
  return port;
}

/** A loopback port that nobody listens on. @throws NoFreePortError */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const port = randomInt(portMin, portMax);
    if (await isPortFree(port)) return port;
  }
  throw new NoFreePortError(attemptsMax);
}

export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

function readPort(file: string): number | null {
  try {
    const port = Number(readFileSync(file, 'utf8').trim());
    return Number.isInteger(port) && port > 0 && port < 65_536 ? port : null;
  } catch {
    return null;
  }
}
