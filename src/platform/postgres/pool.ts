import pg from 'pg';
import { withTimeout } from '../time/withTimeout.ts';
import type { BreakerState } from './breaker.ts';
import { parseDatabaseUrl } from './databaseUrl.ts';

/** One use of a database, for metrics and the log of slow queries. */
export interface QueryDone {
  /** Named after the question or the part that asked, as in `readMessages`. */
  readonly operation: string;
  /** From asking to the answer, waiting for a connection included, in milliseconds. */
  readonly durationMs: number;
  readonly outcome: 'answered' | 'failed';
}

/** How every pool of connections is made. */
export interface PoolOptions {
  /** `postgresql://…`; its `connection_limit` and `pool_timeout` win over the options below. */
  readonly url: string;
  /** Shown in `pg_stat_activity`, so that an operator sees whose connection it is. */
  readonly applicationName: string;
  /** Connections at most. Default 10. */
  readonly connectionsMax?: number;
  /** How long a query waits for a connection, new or from the pool, in milliseconds. Default 2,000. */
  readonly acquireMsMax?: number;
  /** How long Postgres may work on one statement before it cancels it, in milliseconds. Default 3,000. */
  readonly statementMsMax?: number;
  /**
   * How long a transaction may wait for its next statement, in milliseconds. Then Postgres undoes it and gives its locks
   * to others: its process is frozen, or gone without a word. Default 60,000.
   */
  readonly idleInTransactionMsMax?: number;
  /** Called when an idle connection breaks. The pool replaces it by itself: this is for the log. */
  readonly onIdleError?: (error: Error) => void;
  /** Called when the circuit breaker opens, tries again and closes. */
  readonly onBreaker?: (state: BreakerState) => void;
  /** Called after every question, with how it ended. */
  readonly onQuery?: (query: QueryDone) => void;
}

/** The client gives up this much after Postgres should have: it only ever fires when Postgres itself hangs. */
export const ANSWER_GRACE_MS = 500;
/** How long an open breaker's probe may take, in milliseconds. */
const PROBE_MS_MAX = 1_000;

/** @throws Error when the URL is malformed */
export function poolConfig(options: PoolOptions): pg.PoolConfig {
  const target = parseDatabaseUrl(options.url);
  const statementMsMax = options.statementMsMax ?? 3_000;
  return {
    connectionString: target.connectionString,
    application_name: options.applicationName,
    max: target.connectionsMax ?? options.connectionsMax ?? 10,
    connectionTimeoutMillis: target.acquireMsMax ?? options.acquireMsMax ?? 2_000,
    idleTimeoutMillis: 30_000,
    statement_timeout: statementMsMax,
    query_timeout: statementMsMax + ANSWER_GRACE_MS,
    idle_in_transaction_session_timeout: options.idleInTransactionMsMax ?? 60_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  };
}

/**
 * Asks whether Postgres is back, on a connection of its own: those of the pool may all hang with a server that is frozen.
 *
 * @throws whatever is in the way; at the latest after a second
 */
export async function probeServer(config: pg.PoolConfig): Promise<void> {
  const { connectionString, application_name } = config;
  const client = new pg.Client({
    connectionString,
    application_name,
    connectionTimeoutMillis: PROBE_MS_MAX,
    query_timeout: PROBE_MS_MAX,
  });
  // Said once more by what is awaited below; unheard, it would end the process.
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('SELECT 1');
  } finally {
    // Not awaited: a server that is frozen never says goodbye.
    client.end().catch(() => {});
  }
}

const CLOSE_MS_MAX = 5_000;

/** Ends all connections; waits at most 5 s: a query that hangs with its server must not hold up the end of the process. */
export async function endPool(pool: pg.Pool): Promise<void> {
  await withTimeout(pool.end(), CLOSE_MS_MAX, 'Closing the database connections').catch(() => {});
}

/** Measures one use of a database. */
export async function timed<T>(
  operation: string,
  onQuery: ((query: QueryDone) => void) | undefined,
  use: () => Promise<T>,
): Promise<T> {
  if (onQuery === undefined) return use();
  const startedMs = performance.now();
  let outcome: QueryDone['outcome'] = 'failed';
  try {
    const answer = await use();
    outcome = 'answered';
    return answer;
  } finally {
    onQuery({ operation, durationMs: performance.now() - startedMs, outcome });
  }
}
