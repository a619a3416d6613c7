import { setTimeout as delay } from 'node:timers/promises';
import type { ReplayBuffer } from './replayBuffer.ts';

const POLL_MS = 5;
/** The tail of a log at work is milliseconds behind its end. */
const REACHED_MS_MAX = 2_000;

/**
 * Waits until the live feed has passed a sequence that the log is known to hold. A client may come from an edge that is further,
 * or have been acknowledged before this edge heard of its message: to go live before that would send the event again.
 *
 * @param isWanted false ends the wait
 * @returns whether it has
 */
export async function tailReached(
  recent: Pick<ReplayBuffer, 'to'>,
  seq: number,
  isWanted: () => boolean,
): Promise<boolean> {
  const deadline = performance.now() + REACHED_MS_MAX;
  while (recent.to < seq) {
    if (!isWanted() || performance.now() > deadline) return false;
    await delay(POLL_MS, undefined, { ref: false });
  }
  return true;
}
