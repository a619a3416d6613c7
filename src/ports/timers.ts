/** Does things later; in tests, when the test says that it is later. */
export interface Timers {
  /**
   * Calls `run` once, in `delayMs` milliseconds.
   *
   * @returns a function that calls it off
   */
  after(delayMs: number, run: () => void): () => void;
}
