import type { Logger } from 'pino';
import { type LifecycleLog, lifecycleLog } from '../observability/lifecycle.ts';
import { Metrics } from '../observability/metrics.ts';
import type { Config } from '../platform/config/config.ts';
import { StopSequence } from './stopSequence.ts';

/** What every part of a process needs before it can be built. */
export interface Base {
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Log lines and metrics of what the parts report. */
  readonly lifecycle: LifecycleLog;
  /** Each part adds its own stop; parts stop in the reverse order of their start. */
  readonly stops: StopSequence;
  /** Aborts when the process shall stop, also in the middle of a start. */
  readonly signal: AbortSignal;
}

/** The ground floor of a process: nothing of it waits for a server. */
export function openBase(config: Config, logger: Logger, signal: AbortSignal): Base {
  const metrics = new Metrics();
  const lifecycle = lifecycleLog(logger, metrics, { slowQueryMs: config.slowQueryMs });
  return { config, logger, metrics, lifecycle, stops: new StopSequence(), signal };
}
