import type { Logger } from 'pino';
import type { BreakerState } from '../../platform/postgres/breaker.ts';
import type { QueryDone } from '../../platform/postgres/pool.ts';
import type { ReplicaState } from '../../platform/postgres/replicaReads.ts';
import { METRICS } from '../catalogue.ts';
import type { Metrics } from '../metrics.ts';
import type { ShowBreaker } from './breakers.ts';

/** What a pool of connections says of itself. */
export interface PoolReading {
  /** All connections. */
  readonly totalCount: number;
  /** Connections that are not in use. */
  readonly idleCount: number;
  /** Requests that wait for a connection. */
  readonly waitingCount: number;
}

/** What the read replica says of itself. */
export interface ReplicaReading {
  readonly state: string;
  readonly lagSeconds: number | null;
}

/** The database that a pool is of: few and fixed, as each is a label. */
export type DatabaseName = 'primary' | 'replica' | 'projector' | 'maintenance';

/** The dependency behind the breaker of each: `chat_breaker_state{dependency}`. */
const DEPENDENCIES: Record<DatabaseName, string> = {
  primary: 'postgres',
  replica: 'postgres_replica',
  projector: 'postgres_projector',
  maintenance: 'postgres_maintenance',
};

export interface DatabaseSubscriberOptions {
  readonly showBreaker: ShowBreaker;
  /** A query that takes as long as this, in milliseconds, is logged as slow. */
  readonly slowQueryMs: number;
}

/** Log lines and metrics of Postgres: queries, pools, breakers and the read replica. */
export function databaseSubscriber(
  logger: Logger,
  metrics: Metrics,
  { showBreaker, slowQueryMs }: DatabaseSubscriberOptions,
) {
  const queries = metrics.histogram(METRICS.dbQueryDurationSeconds);
  const databaseLog = (database: DatabaseName) => ({
    onIdleError: (error: Error) =>
      logger.warn({ component: 'database', database, err: error }, 'connection lost'),
    onBreaker: (state: BreakerState) => {
      showBreaker(DEPENDENCIES[database], state);
      const level = state === 'open' ? 'error' : 'info';
      logger[level]({ component: 'database', database, breaker: state }, 'circuit breaker is %s', state);
    },
    onQuery: (query: QueryDone) => {
      const { operation, outcome } = query;
      queries.observe({ database, operation, outcome }, query.durationMs / 1_000);
      if (query.durationMs < slowQueryMs) return;
      const durationMs = Math.round(query.durationMs);
      logger.warn({ component: 'database', database, ...query, durationMs }, 'slow query');
    },
  });
  return {
    databaseLog,
    onReplica: (state: ReplicaState, lagSeconds: number | null) => {
      const level = state === 'usable' ? 'info' : 'warn';
      const fields = { component: 'database', database: 'replica', state, lagSeconds };
      logger[level](fields, 'read replica is %s', state);
    },
    watchPool: poolGauges(metrics),
    watchReplica: (replica: ReplicaReading): void => replicaGauges(metrics, replica),
  };
}

function poolGauges(metrics: Metrics): (database: DatabaseName, pool: PoolReading) => void {
  const pools = new Map<DatabaseName, PoolReading>();
  metrics.gauge(METRICS.dbPoolConnections, (connections) => {
    for (const [database, { totalCount, idleCount }] of pools) {
      connections.set({ database, state: 'idle' }, idleCount);
      connections.set({ database, state: 'active' }, totalCount - idleCount);
    }
  });
  metrics.gauge(METRICS.dbPoolWaitingRequests, (waiting) => {
    for (const [database, { waitingCount }] of pools) waiting.set({ database }, waitingCount);
  });
  return (database, pool) => {
    pools.set(database, pool);
  };
}

function replicaGauges(metrics: Metrics, replica: ReplicaReading): void {
  metrics.gauge(METRICS.dbReplicaUsable, (usable) => usable.set(replica.state === 'usable' ? 1 : 0));
  metrics.gauge(METRICS.dbReplicaLagSeconds, (lag) => lag.set(replica.lagSeconds ?? 0));
}
