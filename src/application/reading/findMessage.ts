import { decodeEvent, tryDecodeEvent } from '../../contracts/events/events.ts';
import type { TargetMessage } from '../../domain/conversation/commands.ts';
import type { MessagePosted } from '../../domain/conversation/events.ts';
import { readEvents } from '../../ports/readEvents.ts';
import { asChatError } from '../chatErrors.ts';
import type { ApplicationContext } from '../context.ts';

/** How long the log may stay silent while the first event of a message is searched for, in milliseconds. */
const SEARCH_MS_MAX = 5_000;

/**
 * Finds a message in the log, so that editing and deleting work without the database. With `seq` that is one read; without, see
 * {@link MessageSearch}.
 *
 * @returns null when the conversation has no such message
 */
export async function findMessage(
  context: ApplicationContext,
  request: MessageToFind,
): Promise<TargetMessage> {
  const found = await findPosted(context, request);
  if (found === null) return null;
  const { messageId, userId: authorId, replyTo, at } = found.event;
  return { messageId, authorId, seq: found.seq, replyTo, at };
}

/**
 * The first event that says a message. A client may name a repeat, which the log took after its window for repeats: an erasure
 * from there on would leave the words where they were said first.
 *
 * @param message as it was found, at whichever of its events
 */
export async function findFirst(
  { feed, search }: ApplicationContext,
  conversationId: string,
  message: NonNullable<TargetMessage>,
): Promise<NonNullable<TargetMessage>> {
  const place = await search.placeOf(conversationId, message.messageId);
  if (place !== null && 'seq' in place && place.seq <= message.seq) return { ...message, seq: place.seq };
  const range = { conversationId, category: 'message', after: 0, until: message.seq - 1 } as const;
  try {
    for await (const { bytes, seq } of readEvents(feed, { ...range, timeoutMs: SEARCH_MS_MAX })) {
      const event = tryDecodeEvent(bytes, seq);
      if (event?.type === 'MessagePosted' && event.messageId === message.messageId)
        return { ...message, seq };
    }
  } catch (cause) {
    throw asChatError(cause);
  }
  return message;
}

export interface MessageToFind {
  readonly conversationId: string;
  readonly messageId: string;
  readonly seq?: number | undefined;
  /** Who asks: one search of a user at a time. Default: nobody in particular. */
  readonly userId?: string;
}

/** As {@link findMessage}, with all that was said. */
export async function findPosted(
  context: ApplicationContext,
  request: MessageToFind,
): Promise<{ seq: number; event: MessagePosted } | null> {
  const { conversationId, messageId } = request;
  try {
    const { userId = '' } = request;
    const seq = request.seq ?? (await context.search.seqOf(conversationId, messageId, userId));
    const event = seq === null ? null : await messageAt(context, conversationId, seq);
    if (seq === null || event?.messageId !== messageId) return null;
    return { seq, event };
  } catch (cause) {
    throw asChatError(cause);
  }
}

/** @returns null for what is not there any more, is of another conversation, or is no message */
export async function messageAt(
  context: ApplicationContext,
  conversationId: string,
  seq: number,
): Promise<MessagePosted | null> {
  const stored = await context.log.at(seq).catch((cause) => {
    throw asChatError(cause);
  });
  if (stored === null || stored.conversationId !== conversationId) return null;
  const event = decodeEvent(stored.bytes, stored.seq);
  return event.type === 'MessagePosted' ? event : null;
}
