import type { Pool, PoolClient } from 'pg';
import { GuardedPool } from './guardedPool.ts';

/**
 * Lends a connection of the pool. One that breaks while it is lent out, between two statements, says so by an event that
 * would end the process if nobody listened; the next statement fails anyway. A connection on which something failed is
 * not lent to anybody else. A guarded pool counts the whole as one use.
 */
export function withClient<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  return pool instanceof GuardedPool ? pool.guarded(() => lend(pool, work)) : lend(pool, work);
}

async function lend<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let failed = true;
  const onError = () => {};
  client.on('error', onError);
  try {
    const result = await work(client);
    failed = false;
    return result;
  } finally {
    client.off('error', onError);
    client.release(failed);
  }
}

/**
 * Runs `work` in a transaction; rolls back when it throws.
 *
 * @param begin the statements that begin it, sent together: each message to Postgres more is a wait more
 */
export function inTransaction<T>(
  pool: Pool,
  work: (client: PoolClient) => Promise<T>,
  begin = 'BEGIN',
): Promise<T> {
  return transact(pool, work, { begin, end: 'COMMIT' });
}

/** Runs `work` in a transaction and undoes it in any case: what it returns or throws is all that is left of it. */
export function rolledBack<T>(
  pool: Pool,
  work: (client: PoolClient) => Promise<T>,
  begin = 'BEGIN',
): Promise<T> {
  return transact(pool, work, { begin, end: 'ROLLBACK' });
}

function transact<T>(
  pool: Pool,
  work: (client: PoolClient) => Promise<T>,
  { begin, end }: { begin: string; end: 'COMMIT' | 'ROLLBACK' },
): Promise<T> {
  return withClient(pool, async (client) => {
    try {
      await client.query(begin);
      const result = await work(client);
      await client.query(end);
      return result;
    } catch (error) {
      // When even this fails, the connection is gone, and the transaction with it.
      await client.query('ROLLBACK').catch(() => {});
      throw error;
    }
  });
}
