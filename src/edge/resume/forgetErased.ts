import { decodeEvent } from '../../contracts/events/events.ts';
import type { StoredEvent } from '../../ports/eventLog.ts';
import type { EventBytes } from '../linkedEvent.ts';
import type { LogPages } from './logPages.ts';
import type { ReplayBuffer } from './replayBuffer.ts';

/** The byte after `{"type":"Message`: it differs between the types of message events. */
const TYPE_BYTE = 16;
const [OF_POST, OF_EDIT, OF_DELETION] = [...'PED'].map((letter) => letter.charCodeAt(0));

/**
 * Erases in this edge's memory what a tombstone erased in the log, so that no resuming client is sent it.
 * Called for every event of the log: all but deletions cost the check of one byte.
 */
export function forgetErased(event: StoredEvent, memory: { recent: ReplayBuffer; pages: LogPages }): void {
  if (event.bytes[TYPE_BYTE] !== OF_DELETION || event.category !== 'message') return;
  const deleted = decodeEvent(event.bytes, event.seq);
  if (deleted.type !== 'MessageDeleted' || deleted.erased === undefined) return;
  const { conversationId } = event;
  memory.pages.forget(conversationId);
  memory.recent.erase(conversationId, deleted.erased.seq, (other) => holdsWords(other, deleted.messageId));
}

/** By the bytes alone: within a text, quotes are escaped. */
function holdsWords({ bytes }: EventBytes, messageId: string): boolean {
  const type = bytes[TYPE_BYTE];
  if (type !== OF_POST && type !== OF_EDIT) return false;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return text.includes(`"messageId":"${messageId}"`);
}
