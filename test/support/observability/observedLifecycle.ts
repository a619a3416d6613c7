import { Writable } from 'node:stream';
import pino from 'pino';
import { type LifecycleLog, lifecycleLog } from '../../../src/observability/lifecycle.ts';
import { Metrics } from '../../../src/observability/metrics.ts';

export interface ObservedLifecycle {
  readonly lifecycle: LifecycleLog;
  readonly metrics: Metrics;
  /** What was logged, one object per line. */
  readonly lines: Record<string, unknown>[];
  readonly logger: pino.Logger;
  /** The series of a metric as Prometheus reads them. */
  series(name: string): Promise<string[]>;
}

/** The log lines and metrics of a process, kept. */
export function observeLifecycle({ level = 'info' } = {}): ObservedLifecycle {
  const lines: Record<string, unknown>[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)));
      done();
    },
  });
  const metrics = new Metrics();
  const logger = pino({ level }, sink);
  const series = async (name: string) =>
    (await metrics.text())
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return { lifecycle: lifecycleLog(logger, metrics, { slowQueryMs: 200 }), metrics, lines, logger, series };
}
