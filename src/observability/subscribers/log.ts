import type { Logger } from 'pino';
import type { LogEvent } from '../../eventlog/jetstream/jetStreamLog.ts';
import { METRICS } from '../catalogue.ts';
import type { Metrics } from '../metrics.ts';
import type { ShowBreaker } from './breakers.ts';

type LogStateEvent = Extract<LogEvent, { type: 'logState' }>;

/** States of the log as a circuit breaker has them: a suspect log is still used, a probed one by the probe alone. */
const BREAKER_STATES = {
  available: 'closed',
  suspect: 'closed',
  unavailable: 'open',
  probing: 'halfOpen',
  closed: 'closed',
} as const;

/** Log lines and metrics of the event log. */
export function logSubscriber(logger: Logger, metrics: Metrics, showBreaker: ShowBreaker) {
  showBreaker('log', 'closed');
  const onEvent = (event: LogEvent): void => {
    if (event.type !== 'logState') return logger.warn({ component: 'log', ...event }, event.type);
    showBreaker('log', BREAKER_STATES[event.to]);
    logState(logger, event);
  };
  /** @param ackMs latest average in milliseconds; null before the first append */
  const watchPublishAck = (ackMs: () => number | null): void => {
    metrics.gauge(METRICS.publishAckAverageSeconds, (gauge) => gauge.set((ackMs() ?? 0) / 1_000));
  };
  return { onEvent, watchPublishAck };
}

/** The log's loss and return are news; each probe in between is not. */
function logState(logger: Logger, { from, to }: LogStateEvent): void {
  const fields = { component: 'log', from, state: to };
  if (to === 'unavailable' && from === 'suspect')
    logger.error(fields, 'the log does not answer: appends and reads are refused');
  else if (to === 'available' && from !== 'suspect') logger.warn(fields, 'the log answers again');
  else logger.debug(fields, 'the log is %s', to);
}
