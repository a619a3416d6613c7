import { setTimeout as pause } from 'node:timers/promises';

/** Waits before these events so that no more than `perSecondMax` come in a second, on average since the beginning. */
export function paced(perSecondMax: number): (events: number) => Promise<void> {
  let nextAtMs = performance.now();
  return async (events) => {
    const nowMs = performance.now();
    const waitMs = nextAtMs - nowMs;
    nextAtMs = Math.max(nowMs, nextAtMs) + (events / perSecondMax) * 1_000;
    if (waitMs > 0) await pause(waitMs);
  };
}
