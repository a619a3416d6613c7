/** Time as the client sees it, so that a test can turn it by hand. */
export interface Clock {
  /** Milliseconds that never go back; from where they count does not matter. */
  nowMs(): number;
  /** Runs `run` once after `delayMs`. @returns what calls it off */
  after(delayMs: number, run: () => void): () => void;
}

/** The longest delay that timers take: 24.8 days. Source: HTML, timers; Node.js, timers.setTimeout. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** The clock of the runtime. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  after(delayMs, run) {
    const atMs = performance.now() + delayMs;
    let timer = setTimeout(fire, Math.min(delayMs, TIMER_MS_MAX));
    // A longer delay would count as none, and the timer would fire again and again.
    function fire(): void {
      const leftMs = delayMs > TIMER_MS_MAX ? atMs - performance.now() : 0;
      if (leftMs < 1) run();
      else timer = setTimeout(fire, Math.min(leftMs, TIMER_MS_MAX));
    }
    return () => clearTimeout(timer);
  },
};

/** A timer that can be set again: setting it calls the earlier one off. */
export class Alarm {
  readonly #clock: Clock;
  #cancel: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isSet(): boolean {
    return this.#cancel !== null;
  }

  set(delayMs: number, run: () => void): void {
    this.clear();
    this.#cancel = this.#clock.after(delayMs, () => {
      this.#cancel = null;
      run();
    });
  }

  clear(): void {
    this.#cancel?.();
    this.#cancel = null;
  }
}
