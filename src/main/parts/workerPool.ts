import { GuardedPool } from '../../platform/postgres/guardedPool.ts';
import type { Foundation } from '../foundation.ts';

/** A batch of thousands of rows may wait for disks that a single query never meets. */
const BATCH_STATEMENT_MS_MAX = 60_000;
/** Shorter than a lease: a worker that freezes inside a transaction must not hold the checkpoint longer than that. */
const IDLE_IN_TRANSACTION_MS_MAX = 4_000;

/** Connections to Postgres for work in the background, apart from those that answer clients. */
export function openWorkerPool(
  { databaseUrl, lifecycle, stops }: Foundation,
  role: 'projector' | 'maintenance',
  connectionsMax: number,
): GuardedPool {
  const pool = new GuardedPool({
    url: databaseUrl,
    applicationName: `chat-backend ${role}`,
    operation: role,
    connectionsMax,
    acquireMsMax: BATCH_STATEMENT_MS_MAX,
    statementMsMax: BATCH_STATEMENT_MS_MAX,
    idleInTransactionMsMax: IDLE_IN_TRANSACTION_MS_MAX,
    ...lifecycle.database(role),
  });
  stops.add(() => pool.close());
  lifecycle.watch.pool(role, pool);
  return pool;
}
