import { pause } from '../../platform/time/pause.ts';
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

/**
 * Sweeps the store of uploads for ever, one part in each round.
 *
 * States: `resting` → (timer) → `sweeping` → `resting`; `stop` → `stopped`, after the round under way. A round that fails is
 * told and tried again, from the same place, in the next one.
 */
export class UploadSweeper {
  readonly #options: UploadSweeperOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(options: UploadSweeperOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Waits for the round under way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { everyMs = 600_000, random } = this.#options;
    let after = 0;
    for (;;) {
      await this.#rest(everyMs * (0.75 + random() / 2));
      if (this.#stopping.signal.aborted) return;
      after = await this.#sweep(after);
    }
  }

  /** @returns where the next round begins */
  async #sweep(after: number): Promise<number> {
    const { onEvent } = this.#options;
    try {
      const { next, ...swept } = await sweepUploads(this.#options, after);
      onEvent({ type: 'uploadsSwept', ...swept });
      return next ?? 0;
    } catch (error) {
      onEvent({ type: 'sweepFailed', error });
      return after;
    }
  }

  #rest(ms: number): Promise<void> {
    return pause(this.#options.timers, ms, this.#stopping.signal);
  }
}
