/** Time as the client sees it, so that a test can turn it by hand. */
export interface Clock {
  /** Milliseconds that never go back; from where they count does not matter. */
  nowMs(): number;
  /** Runs `run` once after `delayMs`. @returns what calls it off */
  after(delayMs: number, run: () => void): () => void;
}

/** The clock of the runtime. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
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
