import { setTimeout as delay } from 'node:timers/promises';

export interface WaitOptions {
  /** Only ends a hang. Default 120 s. */
  readonly timeoutMs?: number;
  /** Default 20 ms. */
  readonly everyMs?: number;
}

/**
 * Waits until a condition holds and returns what it answered. A condition that throws or answers null, undefined or
 * false does not hold yet; what it last said is in the error.
 */
export async function waitFor<T>(
  what: string,
  condition: () => T | null | undefined | false | Promise<T | null | undefined | false>,
  { timeoutMs = 120_000, everyMs = 20 }: WaitOptions = {},
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const answer = await condition();
      if (answer !== null && answer !== undefined && answer !== false) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) break;
    await delay(everyMs);
  }
  throw new Error(`Waited ${timeoutMs} ms in vain for: ${what} (last: ${String(last)})`, { cause: last });
}
