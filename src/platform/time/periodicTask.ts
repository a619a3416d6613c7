import type { Timers } from '../../ports/timers.ts';
import { jittered } from './jitter.ts';
import { pause } from './pause.ts';

export interface PeriodicTaskOptions {
  /** One run. Its signal aborts when the task is stopped. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  readonly timers: Timers;
  /** From the end of one run to the beginning of the next, in milliseconds. A function is asked before each rest. */
  readonly intervalMs: number | (() => number);
  /** How far a rest differs from the interval at most, as a share of it. Default 0. */
  readonly jitter?: number;
  /** Uniform in [0, 1); decides the jitter. Default `Math.random`. */
  readonly random?: () => number;
  /** Whether the task rests before its first run. Default false. */
  readonly restsFirst?: boolean;
  /** Called with what a run throws; the next run comes all the same. Must not throw. */
  readonly onError: (error: unknown) => void;
}

/**
 * Something that is done again and again.
 *
 * States: `new` → (`start`) → `running` ⇄ `resting`; (`stop`) → `stopped`, from each of them, final.
 *
 * Invariants: at most one run is in flight; a rest is measured from the end of a run, so that runs that take longer than
 * the interval do not pile up; after `stop` has resolved nothing runs and no timer is set.
 */
export class PeriodicTask {
  readonly #options: PeriodicTaskOptions;
  readonly #stopping = new AbortController();
  #loop: Promise<void> | null = null;

  constructor(options: PeriodicTaskOptions) {
    this.#options = options;
  }

  /** The first run begins at once, unless the task rests first. Starting again changes nothing. */
  start(): void {
    this.#loop ??= this.#run();
  }

  /** Ends a rest at once, aborts a run in flight and waits for its end. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { run, onError, restsFirst = false } = this.#options;
    const { signal } = this.#stopping;
    if (restsFirst) await this.#rest();
    while (!signal.aborted) {
      try {
        await run(signal);
      } catch (error) {
        onError(error);
      }
      await this.#rest();
    }
  }

  #rest(): Promise<void> {
    const { timers, intervalMs, jitter = 0, random = Math.random } = this.#options;
    const ms = typeof intervalMs === 'number' ? intervalMs : intervalMs();
    return pause(timers, jittered(ms, jitter, random), this.#stopping.signal);
  }
}
