/**
 * The time.
 *
 * In production: `src/platform/time/clock.ts`.
 * In memory: `test/support/time/manualTime.ts`.
 */
export interface Clock {
  /** Milliseconds since 1970. */
  nowMs(): number;
}
