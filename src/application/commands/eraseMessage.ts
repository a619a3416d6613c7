import { tryDecodeEvent } from '../../contracts/events/events.ts';
import type { TargetMessage } from '../../domain/conversation/commands.ts';
import type { ChatEvent } from '../../domain/conversation/events.ts';
import { readEvents } from '../../ports/readEvents.ts';
import { asChatError } from '../chatErrors.ts';
import type { ApplicationContext } from '../context.ts';

/** How long a conversation is searched for a message's words, in milliseconds. */
const SEARCH_MS_MAX = 30_000;

/**
 * Takes every event that holds a message's words out of the log: its edits, repeats of it that came after the log's
 * window for repeats, and the message itself, last; and out of the store of uploads the files it came with. To be called after the tombstone is stored.
 *
 * @returns how many events were erased
 * @throws ChatError log_unavailable; asking again goes on where it ended
 */
export async function eraseMessage(
  context: ApplicationContext,
  conversationId: string,
  message: NonNullable<TargetMessage>,
): Promise<number> {
  try {
    const before = await eraseAfter(context, conversationId, message, message.seq);
    const stored = await context.log.at(message.seq);
    if (stored !== null) await removeFiles(context, tryDecodeEvent(stored.bytes, message.seq));
    const itself = (await context.log.erase(message.seq)) ? 1 : 0;
    // An edit that had found the message by then is stored all the same, after where the search ended.
    const late = await eraseAfter(context, conversationId, message, before.until);
    return before.erased + itself + late.erased;
  } catch (cause) {
    throw asChatError(cause);
  }
}

async function eraseAfter(
  context: ApplicationContext,
  conversationId: string,
  { messageId }: NonNullable<TargetMessage>,
  after: number,
): Promise<{ erased: number; until: number }> {
  const { log, feed } = context;
  const until = (await log.latest(conversationId, 'message'))?.seq ?? after;
  if (until <= after) return { erased: 0, until: after };
  const range = { conversationId, category: 'message', after, until, timeoutMs: SEARCH_MS_MAX } as const;
  const found: { event: ChatEvent | null; seq: number }[] = [];
  for await (const { bytes, seq } of readEvents(feed, range)) {
    // What cannot be read is no event of this message that was ever shown.
    const event = tryDecodeEvent(bytes, seq);
    if (holdsWordsOf(messageId, event)) found.push({ event, seq });
  }
  let erased = 0;
  for (const { event, seq } of found) {
    await removeFiles(context, event);
    if (await log.erase(seq)) erased += 1;
  }
  return { erased, until };
}

/** The files go before the event that names them: until it is gone too, asking again finds them. */
export async function removeFiles(
  { attachments }: ApplicationContext,
  event: ChatEvent | null,
): Promise<void> {
  if (event?.type !== 'MessagePosted') return;
  for (const { id } of event.attachments) await attachments.remove(id);
}

/** The tombstone stays, and so do reactions: others said them. */
function holdsWordsOf(messageId: string, event: ChatEvent | null): boolean {
  if (event?.type !== 'MessagePosted' && event?.type !== 'MessageEdited') return false;
  return event.messageId === messageId;
}
