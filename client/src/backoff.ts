/** Bounds of an exponential backoff. */
export interface BackoffBounds {
  /** Upper bound of the first delay. */
  readonly baseMs: number;
  /** Upper bound of all delays. */
  readonly maxMs: number;
}

/**
 * Exponential backoff with full jitter: any delay from 0 to the bound of this attempt. Spreads clients that lost the same
 * server better than jitter around a mean; see "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 *
 * @param attempt 0 for the first
 * @param random from 0 to less than 1
 */
export function fullJitterMs(
  attempt: number,
  { baseMs, maxMs }: BackoffBounds,
  random: () => number,
): number {
  return random() * Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 30));
}
