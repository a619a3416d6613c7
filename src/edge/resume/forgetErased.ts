import { decodeEvent } from '../../contracts/events/events.ts';
import type { StoredEvent } from '../../ports/eventLog.ts';
import type { EventBytes } from '../linkedEvent.ts';
import type { LogPages } from './logPages.ts';
import type { ReplayBuffer } from './replayBuffer.ts';

/** Behind `{"type":"Message`: what tells the events of messages from each other. */
const TELLING_BYTE = 16;
const [OF_POST, OF_EDIT, OF_DELETION] = [...'PED'].map((letter) => letter.charCodeAt(0));

/**
 * Takes what a tombstone says is erased out of this edge's memory too, so that nobody who comes back is sent it any more.
 * Called for every event of the log: all but deletions cost a look at one byte.
 */
export function forgetErased(event: StoredEvent, memory: { recent: ReplayBuffer; pages: LogPages }): void {
  if (event.bytes[TELLING_BYTE] !== OF_DELETION || event.category !== 'message') return;
  const deleted = decodeEvent(event.bytes, event.seq);
  if (deleted.type !== 'MessageDeleted' || deleted.erased === undefined) return;
  const { conversationId } = event;
  memory.pages.forget(conversationId);
  memory.recent.erase(conversationId, deleted.erased.seq, (other) => holdsWords(other, deleted.messageId));
}

/** By the bytes alone: within a text, quotes are escaped. */
function holdsWords({ bytes }: EventBytes, messageId: string): boolean {
  const telling = bytes[TELLING_BYTE];
  if (telling !== OF_POST && telling !== OF_EDIT) return false;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return text.includes(`"messageId":"${messageId}"`);
}
