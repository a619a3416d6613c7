import type { Timers } from '../../src/ports/timers.ts';

/** Waits `ms`, or until the signal aborts. */
export function pause(timers: Timers, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const wake = () => {
      cancel();
      signal.removeEventListener('abort', wake);
      resolve();
    };
    const cancel = timers.after(ms, wake);
    signal.addEventListener('abort', wake);
  });
}

/**
 * A pause that grows with the failures in a row and differs from worker to worker, in milliseconds. Never more than a
 * second: trying costs a database that is away nothing, and one that is back is not left waiting.
 */
export function backoffMs(failuresInARow: number, random: () => number): number {
  return Math.min(100 * 2 ** failuresInARow, 1_000) * (0.5 + random() / 2);
}
