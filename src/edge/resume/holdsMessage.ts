import type { ReplayBuffer } from './replayBuffer.ts';

/** Events of a conversation that are gone through, at most: some microseconds. */
const EVENTS_MAX = 1_000;

/** Whether a message was posted among the newest events of a conversation. `false` says nothing about older ones. */
export function holdsMessage(
  recent: Pick<ReplayBuffer, 'newestOf'>,
  conversationId: string,
  messageId: string,
): boolean {
  // How every posted message begins, see `encodeEvent`.
  const beginning = Buffer.from(`{"type":"MessagePosted","v":1,"messageId":"${messageId}"`);
  let left = EVENTS_MAX;
  for (const { bytes } of recent.newestOf(conversationId)) {
    if (beginning.compare(bytes, 0, Math.min(beginning.length, bytes.length)) === 0) return true;
    left -= 1;
    if (left === 0) return false;
  }
  return false;
}
