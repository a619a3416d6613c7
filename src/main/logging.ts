import pino, { type Logger } from 'pino';
import type { RunnerEvent } from '../../projections/runner/runner.ts';
import type { UpkeepEvent } from '../../projections/runner/upkeep.ts';
import type { EdgeEvent } from '../edge/edgeEvents.ts';
import type { LogEvent } from '../eventlog/jetstream/jetStreamLog.ts';
import type { UploadEvent } from '../http/uploadEvents.ts';
import type { AuditEvent } from '../maintenance/auditor.ts';
import type { SweepEvent } from '../maintenance/uploadSweeper.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { BreakerState } from '../platform/breaker.ts';
import type { EmbeddedServerEvent } from '../platform/embedded/embeddedServers.ts';
import type { NatsEvent } from '../platform/nats.ts';
import type { SignalFault } from '../ports/signals.ts';

/** JSON lines on standard output. */
export function createLogger(level: string): Logger {
  return pino({ level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime });
}

/** What the parts tell of their lives, put into log lines and metrics. The parts themselves know neither. */
export function lifecycleLog(logger: Logger, metrics: Metrics) {
  return {
    nats: (event: NatsEvent) => {
      const level = event.type === 'natsConnected' || event.type === 'natsReconnected' ? 'info' : 'warn';
      logger[level]({ component: 'nats', ...event }, event.type);
    },
    log: (event: LogEvent) => logger.warn({ component: 'log', ...event }, event.type),
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
    breaker: (state: BreakerState) => {
      metrics.onBreaker('postgres', state);
      const level = state === 'open' ? 'error' : 'info';
      logger[level]({ component: 'database', breaker: state }, 'circuit breaker is %s', state);
    },
    fault: (component: string) => (error: unknown) => logger.error({ component, err: error }, 'fault'),
  };
}

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
