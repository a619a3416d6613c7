import type { Timers } from '../../src/ports/timers.ts';

/** What did not come about in time. */
export class NotInTimeError extends Error {
  override readonly name = 'NotInTimeError';
}

/** Turns a runner's events into promises: one waits for one thing at a time, and a failure ends every wait. */
export class RebuildWaiter {
  readonly #timers: Timers;
  #waiting: { condition: () => boolean; resolve: () => void; reject: (error: Error) => void } | null = null;
  #failure: Error | null = null;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  fail(error: Error): void {
    this.#failure ??= error;
    this.check();
  }

  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting = { condition, resolve, reject };
      this.check();
    });
  }

  /** @throws NotInTimeError with `message` */
  async within(timeoutMs: number, condition: () => boolean, message: string): Promise<void> {
    const cancel = this.#timers.after(timeoutMs, () => this.#waiting?.reject(new NotInTimeError(message)));
    await this.until(condition).finally(cancel);
  }

  /** @returns whether so much time has passed since */
  deadline(ms: number): () => boolean {
    let over = false;
    this.#timers.after(ms, () => {
      over = true;
    });
    return () => over;
  }

  check(): void {
    if (this.#failure !== null) this.#waiting?.reject(this.#failure);
    else if (this.#waiting?.condition() === true) this.#waiting.resolve();
  }
}
