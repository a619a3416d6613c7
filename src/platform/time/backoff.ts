/** Between which bounds a pause grows, in milliseconds. */
export interface BackoffBounds {
  /** The whole pause after no failure before this one. */
  readonly delayMsMin: number;
  /** The whole pause never grows beyond this. */
  readonly delayMsMax: number;
}

/**
 * A pause before the next attempt, in milliseconds. The whole pause doubles with each failure; of it, up to a half is taken
 * off at random, so that those who failed together do not come back together.
 *
 * Source: "equal jitter" in Exponential Backoff And Jitter, AWS Architecture Blog, 2015.
 *
 * @param failures how many times the pause has doubled: the consecutive failures before this one
 * @param random uniform in [0, 1)
 */
export function backoffMs(
  { delayMsMin, delayMsMax }: BackoffBounds,
  failures: number,
  random: () => number,
): number {
  return Math.min(delayMsMax, delayMsMin * 2 ** failures) * (1 - random() / 2);
}
