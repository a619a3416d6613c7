import pino, { type Logger } from 'pino';
import type { RunnerEvent } from '../../projections/runner/runner.ts';
import type { EdgeEvent } from '../edge/edgeEvents.ts';
import type { LogEvent } from '../eventlog/jetstream/jetStreamLog.ts';
import type { BreakerState } from '../platform/breaker.ts';
import type { EmbeddedServerEvent } from '../platform/embedded/embeddedServers.ts';
import type { NatsEvent } from '../platform/nats.ts';

/** JSON lines on standard output. */
export function createLogger(level: string): Logger {
  return pino({ level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime });
}

/** What the parts tell of their lives, put into log lines. The parts themselves know no logger. */
export function lifecycleLog(logger: Logger) {
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
    edge: (event: EdgeEvent) => {
      if (event.type === 'slowConsumer')
        logger.info({ component: 'edge', ...event }, 'closed a slow consumer');
      if (event.type === 'tailRestarted')
        logger.warn({ component: 'edge', ...event }, 'live feed began anew');
    },
    breaker: (state: BreakerState) => {
      const level = state === 'open' ? 'error' : 'info';
      logger[level]({ component: 'database', breaker: state }, 'circuit breaker is %s', state);
    },
    fault: (component: string) => (error: unknown) => logger.error({ component, err: error }, 'fault'),
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
