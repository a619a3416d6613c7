import pino, { type Logger } from 'pino';
import type { RunnerEvent } from '../../../projections/runner/runner.ts';
import type { UpkeepEvent } from '../../../projections/runner/upkeep.ts';
import type { EdgeEvent } from '../../edge/edgeEvents.ts';
import type { LogEvent } from '../../eventlog/jetstream/jetStreamLog.ts';
import type { UploadEvent } from '../../http/uploads/uploadEvents.ts';
import type { AuditEvent } from '../../maintenance/audit/auditor.ts';
import type { SweepEvent } from '../../maintenance/uploads/uploadSweeper.ts';
import type { EmbeddedServerEvent } from '../../platform/embedded/embeddedServers.ts';
import type { NatsEvent } from '../../platform/nats/connection.ts';
import type { BreakerState } from '../../platform/postgres/breaker.ts';
import type { QueryDone } from '../../platform/postgres/pool.ts';
import type { ReplicaState } from '../../platform/postgres/replicaReads.ts';
import type { RedisEvent } from '../../platform/redis/redis.ts';
import type { SignalFault } from '../../ports/signals.ts';
import type { DatabaseName } from '../databaseMetrics.ts';
import type { Metrics } from '../metrics.ts';

/** JSON lines on standard output. */
export function createLogger(level: string): Logger {
  return pino({ level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime });
}

/** Breakers by what stands behind them: `chat_breaker_state{dependency}`. */
const BREAKERS: Record<DatabaseName, string> = {
  primary: 'postgres',
  replica: 'postgres_replica',
  projector: 'postgres_projector',
  maintenance: 'postgres_maintenance',
};

/** What the parts tell of their lives, put into log lines and metrics. The parts themselves know neither. */
export function lifecycleLog(logger: Logger, metrics: Metrics, { slowQueryMs }: { slowQueryMs: number }) {
  return {
    nats: (event: NatsEvent) => {
      const level = event.type === 'natsConnected' || event.type === 'natsReconnected' ? 'info' : 'warn';
      logger[level]({ component: 'nats', ...event }, event.type);
    },
    log: (event: LogEvent) => {
      if (event.type === 'logState') logState(logger, metrics, event);
      else logger.warn({ component: 'log', ...event }, event.type);
    },
    redis: (event: RedisEvent) =>
      logger[event.type === 'redisUp' ? 'info' : 'warn']({ component: 'redis', ...event }, event.type),
    server: (event: EmbeddedServerEvent) => {
      const level = event.type === 'serverDied' || event.type === 'serverRestarting' ? 'warn' : 'info';
      logger[level]({ component: 'embedded', ...describeServerEvent(event) }, event.type);
    },
    projection: (event: RunnerEvent) => {
      if (event.type === 'projectionState') {
        return logger.info({ component: 'projection', ...event }, 'projection is %s', event.to);
      }
      const { error, ...rest } = event;
      const level = event.trigger === 'unrecoverable' ? 'fatal' : 'error';
      logger[level]({ component: 'projection', ...rest, err: error }, 'projection failed');
    },
    upkeep: (event: UpkeepEvent) => {
      if (event.type !== 'upkeepFailed')
        return logger.info({ component: 'projection', ...event }, event.type);
      const { error, ...rest } = event;
      logger.error({ component: 'projection', ...rest, err: error }, 'looking after a read model failed');
    },
    audit: (event: AuditEvent) => {
      const fields = { component: 'audit' };
      if (event.type === 'auditFailed') logger.error({ ...fields, err: event.error }, 'the audit failed');
      else logger.error({ ...fields, ...event }, 'log and history differ: see chat-backend verify');
    },
    edge: (event: EdgeEvent) => {
      metrics.onEdge(event);
      if (event.type === 'slowConsumer')
        logger.info({ component: 'edge', ...event }, 'closed a slow consumer');
      if (event.type === 'tailRestarted')
        logger.warn({ component: 'edge', ...event }, 'live feed began anew');
    },
    /** What to do with what a database tells of itself. */
    database: (database: DatabaseName) => ({
      onIdleError: (error: Error) =>
        logger.warn({ component: 'database', database, err: error }, 'connection lost'),
      onBreaker: (state: BreakerState) => {
        metrics.onBreaker(BREAKERS[database], state);
        const level = state === 'open' ? 'error' : 'info';
        logger[level]({ component: 'database', database, breaker: state }, 'circuit breaker is %s', state);
      },
      onQuery: (query: QueryDone) => {
        metrics.databases.onQuery(database, query);
        if (query.durationMs < slowQueryMs) return;
        const durationMs = Math.round(query.durationMs);
        logger.warn({ component: 'database', database, ...query, durationMs }, 'slow query');
      },
    }),
    replica: (state: ReplicaState, lagSeconds: number | null) => {
      const level = state === 'usable' ? 'info' : 'warn';
      logger[level](
        { component: 'database', database: 'replica', state, lagSeconds },
        'read replica is %s',
        state,
      );
    },
    upload: (event: UploadEvent) => {
      metrics.onUpload(event);
      if (event.outcome === 'stored') return logger.info({ component: 'uploads', ...event }, 'upload stored');
      logger.warn({ component: 'uploads', ...event }, 'upload %s', event.outcome);
    },
    sweep: (event: SweepEvent) => {
      const fields = { component: 'uploads' };
      if (event.type === 'sweepFailed')
        return logger.error({ ...fields, err: event.error }, 'sweeping uploads failed');
      if (event.abandoned + event.leftovers + event.undecided > 0)
        logger.info({ ...fields, ...event }, 'uploads swept');
    },
    fault: (component: string) => (error: unknown) => logger.error({ component, err: error }, 'fault'),
  };
}

/** As circuit breakers go: what is suspect lets everything through, what is probed lets nothing through but the probe. */
const BREAKER_STATES = {
  available: 'closed',
  suspect: 'closed',
  unavailable: 'open',
  probing: 'halfOpen',
  closed: 'closed',
} as const;

/** That the log is away and that it is back; each probe in between is nobody's news. */
function logState(logger: Logger, metrics: Metrics, { from, to }: LogStateEvent): void {
  metrics.onBreaker('log', BREAKER_STATES[to]);
  const fields = { component: 'log', from, state: to };
  if (to === 'unavailable' && from === 'suspect')
    logger.error(fields, 'the log does not answer: appends and reads are refused');
  else if (to === 'available' && from !== 'suspect') logger.warn(fields, 'the log answers again');
  else logger.debug(fields, 'the log is %s', to);
}

type LogStateEvent = Extract<LogEvent, { type: 'logState' }>;

/**
 * Logs what did not become a signal: of each kind the first, and then at most one line a minute that says how many there
 * were. Signals that get lost are normal while NATS is away, and there are many of them.
 */
export function signalFaultLog(logger: Logger, nowMs: () => number): (fault: SignalFault) => void {
  const kinds = new Map<SignalFault['kind'], { count: number; loggedAtMs: number }>();
  return ({ kind, detail }) => {
    const seen = kinds.get(kind) ?? { count: 0, loggedAtMs: Number.NEGATIVE_INFINITY };
    kinds.set(kind, seen);
    seen.count += 1;
    if (nowMs() - seen.loggedAtMs < 60_000) return;
    seen.loggedAtMs = nowMs();
    logger.warn({ component: 'signals', kind, count: seen.count, detail }, 'signals dropped');
  };
}

export type LifecycleLog = ReturnType<typeof lifecycleLog>;

/** The line's own `pid` is this process; and the URL of Postgres holds a password. */
function describeServerEvent(event: EmbeddedServerEvent): object {
  const described: Record<string, unknown> = { ...event };
  delete described.pid;
  if ('pid' in event) described.serverPid = event.pid;
  if ('url' in event) described.url = event.url.replace(/:\/\/[^@/]*@/, '://');
  return described;
}
