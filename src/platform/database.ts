import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { Prisma, PrismaClient } from '../../prisma/generated/client.ts';
import { Breaker, type BreakerState } from './breaker.ts';
import { databaseFault } from './databaseFault.ts';
import { type DatabaseUrl, parseDatabaseUrl } from './databaseUrl.ts';
import { withTimeout } from './withTimeout.ts';

export { Prisma, type PrismaClient };

export interface DatabaseOptions {
  /** `postgresql://…`; its `connection_limit` and `pool_timeout` win over the options below. */
  readonly url: string;
  /** Shown in `pg_stat_activity`, so that an operator sees whose connection it is. */
  readonly applicationName: string;
  /** Connections at most. Default 10. */
  readonly connectionsMax?: number;
  /** How long a query waits for a connection, new or from the pool, in milliseconds. Default 2,000. */
  readonly acquireMsMax?: number;
  /** How long Postgres may work on one statement, in milliseconds. Default 3,000. */
  readonly statementMsMax?: number;
  /**
   * How long a transaction may wait for its next statement, in milliseconds. Then Postgres undoes it and gives its locks
   * to whoever waits: the process behind it is frozen, or gone without a word. Default 60,000.
   */
  readonly idleInTransactionMsMax?: number;
  /** How many queries may wait for a connection; more are refused at once. Default 500. */
  readonly waitingMax?: number;
  /** Told when an idle connection breaks. The pool replaces it by itself: this is for the log. */
  readonly onIdleError?: (error: Error) => void;
  /** Told when the circuit breaker opens, tries again and closes. */
  readonly onBreaker?: (state: BreakerState) => void;
}

/** One Postgres, one pool: projections use pg on it, queries use Prisma on it. */
export interface Database {
  readonly pool: pg.Pool;
  readonly prisma: PrismaClient;
  /** `host:port/database`, for messages. */
  readonly where: string;
  readonly breaker: BreakerState;
  /**
   * Asks one question, in bounded time: at most the waiting time plus the statement time plus half a second, and not at
   * all while the breaker is open.
   *
   * @throws ChatError database_unavailable for every fault that is the database's; a wrong statement stays an Error
   */
  ask<T>(question: (prisma: PrismaClient) => PromiseLike<T>): Promise<T>;
  /** Asks whether the database answers at all, past the breaker: for health checks. @throws as `ask` */
  ping(): Promise<void>;
  /** Ends all connections; waits at most 5 s for queries under way. */
  close(): Promise<void>;
}

/** The client gives up this much after Postgres should have: it only ever fires when Postgres itself hangs. */
const ANSWER_GRACE_MS = 500;
const CLOSE_MS_MAX = 5_000;

/**
 * Opens a database. Connects on first use, so it never fails because Postgres is down.
 *
 * @throws Error when the URL is malformed
 */
export function openDatabase(options: DatabaseOptions): Database {
  const target = parseDatabaseUrl(options.url);
  const pool = new pg.Pool(poolConfig(options, target));
  // Without a listener, a connection that breaks while idle would end the process.
  pool.on('error', (error) => options.onIdleError?.(error));
  const adapter = new PrismaPg(pool);
  const prisma = new PrismaClient({ adapter, errorFormat: 'minimal' });
  const waitingMax = options.waitingMax ?? 500;
  const ask = async <T>(question: (prisma: PrismaClient) => PromiseLike<T>) => {
    if (pool.waitingCount >= waitingMax) {
      throw databaseFault(new Error(`${waitingMax} queries wait for a connection already`));
    }
    try {
      return await question(prisma);
    } catch (cause) {
      throw databaseFault(cause);
    }
  };
  const breaker = new Breaker({
    name: options.applicationName,
    callMsMax: callMsMax(poolConfig(options, target)),
    ...(options.onBreaker !== undefined && { onChange: options.onBreaker }),
  });
  return {
    pool,
    prisma,
    where: target.where,
    get breaker() {
      return breaker.state;
    },
    ask: (question) => breaker.run(() => ask(question)),
    ping: () => ask(async (client) => void (await client.$queryRaw`SELECT 1`)),
    close: () => {
      breaker.stop();
      return close(pool, prisma);
    },
  };
}

/** Waiting for a connection and for the answer are bounded by the pool; this is the net below, for what slips through. */
function callMsMax({ connectionTimeoutMillis = 0, query_timeout = 0 }: pg.PoolConfig): number {
  return connectionTimeoutMillis + query_timeout + ANSWER_GRACE_MS;
}

function poolConfig(options: DatabaseOptions, target: DatabaseUrl): pg.PoolConfig {
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

async function close(pool: pg.Pool, prisma: PrismaClient): Promise<void> {
  await prisma.$disconnect();
  // A query that hangs with its server must not hold up the end of the process.
  await withTimeout(pool.end(), CLOSE_MS_MAX, 'Closing the database connections').catch(() => {});
}
