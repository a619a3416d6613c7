import { PeriodicTask } from '../../platform/time/periodicTask.ts';
import type { Timers } from '../../ports/timers.ts';
import { type SweepOptions, type Swept, sweepUploads } from './uploadSweep.ts';

export interface UploadSweeperOptions extends SweepOptions {
  readonly timers: Timers;
  /** From 0 to 1, so that processes that started together do not sweep together. */
  readonly random: () => number;
  readonly onEvent: (event: SweepEvent) => void;
  /** Between two rounds, in milliseconds, give or take a quarter. Default 600,000. */
  readonly everyMs?: number;
}

export type SweepEvent =
  | ({ readonly type: 'uploadsSwept' } & Omit<Swept, 'next'>)
  | { readonly type: 'sweepFailed'; readonly error: unknown };

/** Sweeps the store of uploads, one part in each round. A round that fails is repeated, from the same part, as the next. */
export class UploadSweeper {
  readonly #options: UploadSweeperOptions;
  readonly #task: PeriodicTask;
  /** Where the next round begins. */
  #after = 0;

  constructor(options: UploadSweeperOptions) {
    this.#options = options;
    const { timers, random, onEvent, everyMs = 600_000 } = options;
    this.#task = new PeriodicTask({
      run: () => this.#sweep(),
      ...{ timers, random, intervalMs: everyMs, jitter: 0.25, restsFirst: true },
      onError: (error) => onEvent({ type: 'sweepFailed', error }),
    });
  }

  start(): void {
    this.#task.start();
  }

  /** Waits for the round in flight. */
  stop(): Promise<void> {
    return this.#task.stop();
  }

  async #sweep(): Promise<void> {
    const { next, ...swept } = await sweepUploads(this.#options, this.#after);
    this.#options.onEvent({ type: 'uploadsSwept', ...swept });
    this.#after = next ?? 0;
  }
}
