import { Gauge, Histogram, type Registry } from 'prom-client';
import type { QueryDone } from '../platform/postgres/pool.ts';

/** A pool of connections as it tells of itself. */
export interface PoolReading {
  /** Connections there are. */
  readonly totalCount: number;
  /** Of them, those that nobody uses. */
  readonly idleCount: number;
  /** Uses that wait for a connection. */
  readonly waitingCount: number;
}

/** Which database a pool is of: few and fixed, as each is a label. */
export type DatabaseName = 'primary' | 'replica' | 'projector' | 'maintenance';

/** In seconds; from what an index answers to what a statement may take at most. */
const QUERY_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** What is measured of Postgres: its queries, and the pools of connections to it. */
export class DatabaseMetrics {
  readonly #pools = new Map<DatabaseName, PoolReading>();
  readonly #queries: Histogram;
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
    const pools = this.#pools;
    this.#queries = new Histogram({
      name: 'chat_db_query_duration_seconds',
      help: 'Time until the database had answered, waiting for a connection included.',
      labelNames: ['database', 'operation', 'outcome'],
      buckets: QUERY_SECONDS,
      registers: [registry],
    });
    new Gauge({
      name: 'chat_db_pool_connections',
      help: 'Connections to the database.',
      labelNames: ['database', 'state'],
      registers: [registry],
      collect() {
        for (const [database, { totalCount, idleCount }] of pools) {
          this.set({ database, state: 'idle' }, idleCount);
          this.set({ database, state: 'active' }, totalCount - idleCount);
        }
      },
    });
    new Gauge({
      name: 'chat_db_pool_waiting_requests',
      help: 'Uses that wait for a connection to the database.',
      labelNames: ['database'],
      registers: [registry],
      collect() {
        for (const [database, { waitingCount }] of pools) this.set({ database }, waitingCount);
      },
    });
  }

  /** Looks at a pool whenever metrics are asked for. */
  watch(database: DatabaseName, pool: PoolReading): void {
    this.#pools.set(database, pool);
  }

  /** Looks at the read replica whenever metrics are asked for. */
  watchReplica(replica: { readonly state: string; readonly lagSeconds: number | null }): void {
    const registers = [this.#registry];
    new Gauge({
      name: 'chat_db_replica_usable',
      help: '1 while the read replica is asked, 0 while it is away or too far behind.',
      registers,
      collect() {
        this.set(replica.state === 'usable' ? 1 : 0);
      },
    });
    new Gauge({
      name: 'chat_db_replica_lag_seconds',
      help: 'Age of what the history of the read replica lacks, at most, when it last answered.',
      registers,
      collect() {
        this.set(replica.lagSeconds ?? 0);
      },
    });
  }

  onQuery(database: DatabaseName, { operation, durationMs, outcome }: QueryDone): void {
    this.#queries.observe({ database, operation, outcome }, durationMs / 1_000);
  }
}
