/**
 * A pause that grows with the failures in a row and differs from worker to worker, in milliseconds. Never more than a
 * second: trying costs a database that is away nothing, and one that is back is not left waiting.
 */
export function backoffMs(failuresInARow: number, random: () => number): number {
  return Math.min(100 * 2 ** failuresInARow, 1_000) * (0.5 + random() / 2);
}
