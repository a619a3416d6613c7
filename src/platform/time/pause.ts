import type { Timers } from '../../ports/timers.ts';

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
