import { decodeEvent } from '../contracts/events.ts';
import type { TargetMessage } from '../domain/conversation/commands.ts';
import { asChatError } from './append.ts';
import type { ApplicationContext } from './context.ts';
import { readConversation } from './readConversation.ts';

/** How long a conversation is searched for a message whose sequence the client did not name. */
const SEARCH_MS_MAX = 5_000;

/**
 * Finds a message in the log, so that editing and deleting work without the database. With `seq` that is one read.
 * Without, the conversation is looked through by idempotency keys alone (a message's key is its id), payloads left
 * out: hundreds of thousands of messages a second.
 *
 * @returns null when the conversation has no such message
 */
export async function findMessage(
  context: ApplicationContext,
  request: { conversationId: string; messageId: string; seq?: number | undefined },
): Promise<TargetMessage> {
  try {
    const seq = request.seq ?? (await searchSeq(context, request.conversationId, request.messageId));
    return seq === null ? null : await targetAt(context, request, seq);
  } catch (cause) {
    throw asChatError(cause);
  }
}

async function targetAt(
  context: ApplicationContext,
  request: { conversationId: string; messageId: string },
  seq: number,
): Promise<TargetMessage> {
  const stored = await context.log.at(seq);
  if (stored === null || stored.conversationId !== request.conversationId) return null;
  const event = decodeEvent(stored.bytes, stored.seq);
  if (event.type !== 'MessagePosted' || event.messageId !== request.messageId) return null;
  const { messageId, userId: authorId, replyTo, at } = event;
  return { messageId, authorId, seq, replyTo, at };
}

/** The sequence of the conversation's message with that id; `null` when it has none. */
async function searchSeq(
  context: ApplicationContext,
  conversationId: string,
  messageId: string,
): Promise<number | null> {
  const latest = await context.log.latest(conversationId, 'message');
  if (latest === null) return null;
  const range = {
    conversationId,
    category: 'message',
    after: 0,
    until: latest.seq,
    headersOnly: true,
  } as const;
  for await (const event of readConversation(context.feed, { ...range, timeoutMs: SEARCH_MS_MAX })) {
    if (event.idempotencyKey() === messageId) return event.seq;
  }
  return null;
}
