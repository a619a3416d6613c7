/**
 * Does things later; in tests, when the test says that it is later.
 *
 * In production: `src/platform/time/timers.ts`.
 * In memory: `test/support/time/manualTime.ts`.
 */
export interface Timers {
  /**
   * Calls `run` once, in `delayMs` milliseconds.
   *
   * @returns a function that calls it off
   */
  after(delayMs: number, run: () => void): () => void;
}
