import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { Prisma, PrismaClient } from '../../../prisma/generated/client.ts';
import { Breaker, type BreakerState } from './breaker.ts';
import { databaseFault } from './databaseFault.ts';
import { parseDatabaseUrl } from './databaseUrl.ts';
import { ANSWER_GRACE_MS, endPool, type PoolOptions, poolConfig, probeServer, timed } from './pool.ts';

export { Prisma, type PrismaClient };

export interface DatabaseOptions extends PoolOptions {
  /** How many queries may wait for a connection; more are refused at once. Default 500. */
  readonly waitingMax?: number;
}

/** Who answers questions: a database, or a replica with the primary behind it. */
export interface Reads {
  /**
   * Asks one question, in bounded time: at most the waiting time plus the statement time plus half a second, and not at
   * all while the breaker is open. A statement that takes too long is cancelled by Postgres itself.
   *
   * @param operation what is asked, for metrics and the log of slow queries: the name of the query's file
   * @throws ChatError database_unavailable for every fault that is the database's; a wrong statement stays an Error
   */
  ask<T>(operation: string, question: (prisma: PrismaClient) => PromiseLike<T>): Promise<T>;
}

/** One Postgres, one pool: upkeep uses pg on it, queries use Prisma on it. */
export interface Database extends Reads {
  readonly pool: pg.Pool;
  readonly prisma: PrismaClient;
  /** `host:port/database`, for messages. */
  readonly where: string;
  readonly breaker: BreakerState;
  /** Questions that the breaker counted as failed since the start. */
  readonly failures: number;
  /** Asks whether the database answers at all, past the breaker: for health checks. @throws as `ask` */
  ping(): Promise<void>;
  /** Ends all connections; waits at most 5 s for queries in flight. */
  close(): Promise<void>;
}

/**
 * Opens a database. Connects on first use, so it never fails because Postgres is down.
 *
 * @throws Error when the URL is malformed
 */
export function openDatabase(options: DatabaseOptions): Database {
  const config = poolConfig(options);
  const pool = new pg.Pool(config);
  // Without a listener, a connection that breaks while idle would end the process.
  pool.on('error', (error) => options.onIdleError?.(error));
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool), errorFormat: 'minimal' });
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
  const breaker = makeBreaker(options, config);
  return {
    pool,
    prisma,
    where: parseDatabaseUrl(options.url).where,
    get breaker() {
      return breaker.state;
    },
    get failures() {
      return breaker.failures;
    },
    ask: (operation, question) => breaker.run(() => timed(operation, options.onQuery, () => ask(question))),
    ping: () => ask(async (client) => void (await client.$queryRaw`SELECT 1`)),
    close: () => {
      breaker.stop();
      return close(pool, prisma);
    },
  };
}

function makeBreaker(options: DatabaseOptions, config: pg.PoolConfig): Breaker {
  const probe = () =>
    probeServer(config).catch((cause) => {
      throw databaseFault(cause);
    });
  return new Breaker({
    name: options.applicationName,
    callMsMax: callMsMax(config),
    probe,
    ...(options.onBreaker !== undefined && { onChange: options.onBreaker }),
  });
}

/** Waiting for a connection and for the answer are bounded by the pool; this is the net below, for what slips through. */
function callMsMax({ connectionTimeoutMillis = 0, query_timeout = 0 }: pg.PoolConfig): number {
  return connectionTimeoutMillis + query_timeout + ANSWER_GRACE_MS;
}

async function close(pool: pg.Pool, prisma: PrismaClient): Promise<void> {
  await prisma.$disconnect();
  await endPool(pool);
}
