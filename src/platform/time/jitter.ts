/**
 * A time that differs from caller to caller, so that those who began together do not go on together.
 *
 * @param share how much is added or taken away at most, as a share of `ms`: 0.25 gives 75 to 125 %
 * @param random uniform in [0, 1)
 */
export function jittered(ms: number, share: number, random: () => number): number {
  return ms * (1 + share * (2 * random() - 1));
}
