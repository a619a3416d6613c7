import { RawHttp } from './rawHttp.ts';

export interface HttpLoad {
  readonly port: number;
  /** Connections, each with one request under way at a time. */
  readonly connections: number;
  /** How many requests. */
  readonly requests: number;
  /** The nth request. */
  readonly request: (n: number) => string;
  /** What every answer must have. */
  readonly status: number;
}

/** As many requests as the server takes: every connection asks again as soon as it has its answer. @returns their rate */
export async function askAtOnce(load: HttpLoad): Promise<number> {
  const connections = await openAll(load);
  let asked = 0;
  let answered = 0;
  const startedAt = performance.now();
  await new Promise<void>((resolve, reject) => {
    const next = (connection: RawHttp) => {
      if (asked === load.requests) return;
      connection.ask(load.request(asked++), (status) => {
        if (status !== load.status) return reject(unexpected(status, load));
        answered += 1;
        if (answered === load.requests) resolve();
        else next(connection);
      });
    };
    connections.forEach(next);
  });
  const perSecond = load.requests / ((performance.now() - startedAt) / 1_000);
  for (const connection of connections) connection.close();
  return perSecond;
}

/**
 * A number of requests per second, whatever the server does: each is due at its moment, and its time counts from then, also
 * when it had to wait for a free connection. Otherwise a server that hangs would be asked less, and look fast.
 *
 * @returns how long each took, in milliseconds, the shortest first
 */
export async function askSteadily(load: HttpLoad & { readonly perSecond: number }): Promise<number[]> {
  const connections = await openAll(load);
  const idle = [...connections];
  const took: number[] = [];
  let asked = 0;
  const startedAt = performance.now();
  const dueAt = (n: number) => startedAt + (n * 1_000) / load.perSecond;
  await new Promise<void>((resolve, reject) => {
    const askDue = () => {
      const now = performance.now();
      while (asked < load.requests && dueAt(asked) <= now) {
        // In turn: one that is left idle for seconds is closed by the server.
        const connection = idle.shift();
        if (connection === undefined) return;
        ask(connection, asked++);
      }
    };
    const ask = (connection: RawHttp, n: number) => {
      connection.ask(load.request(n), (status) => {
        if (status !== load.status) return reject(unexpected(status, load));
        took.push(performance.now() - dueAt(n));
        idle.push(connection);
        if (took.length === load.requests) return resolve();
        askDue();
      });
    };
    const timer = setInterval(() => {
      askDue();
      if (asked === load.requests) clearInterval(timer);
    }, 1);
  });
  for (const connection of connections) connection.close();
  return took.sort((a, b) => a - b);
}

/** The value below which this share (0–1) of the sorted values is. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function openAll({ connections, port }: HttpLoad): Promise<RawHttp[]> {
  return Promise.all(Array.from({ length: connections }, () => RawHttp.open(port)));
}

function unexpected(status: number, load: HttpLoad): Error {
  return new Error(`The server at port ${load.port} answered with ${status} rather than ${load.status}`);
}
