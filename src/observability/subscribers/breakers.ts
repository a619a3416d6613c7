import type { BreakerState } from '../../platform/postgres/breaker.ts';
import { METRICS } from '../catalogue.ts';
import type { Metrics } from '../metrics.ts';

const VALUES: Record<BreakerState, number> = { closed: 0, halfOpen: 1, open: 2 };

/** Takes the state of the circuit breaker before a dependency. */
export type ShowBreaker = (dependency: string, state: BreakerState) => void;

/** The metric of all circuit breakers: a number, so that an alert can compare it. */
export function breakerMetric(metrics: Metrics): ShowBreaker {
  const states = metrics.gauge(METRICS.breakerState);
  return (dependency, state) => states.set({ dependency }, VALUES[state]);
}
