import type { MessagePosted } from '../../domain/conversation/events.ts';
import { CONTENT_LENGTH_MAX, isConversationId, isMessageId } from '../ids.ts';

/** A subset of what the ids may hold, for which a simple expression is enough. */
const PLAIN = /^[\x20-\x7e]{1,128}$/;
/** A subset of the times there are: any month is long enough. */
const AT =
  /^(?:19[7-9]|20\d|21\d)\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;

/**
 * Reads what nearly every event is, a posted message with plain ids and without attachments, at a fifth of what the
 * schema costs. It accepts only what the schema accepts, and then gives the same; whatever else it leaves to the schema:
 * that is tested against it.
 */
export function readMessagePosted(parsed: object): MessagePosted | null {
  const event: Partial<Record<keyof MessagePosted, unknown>> = parsed;
  const { messageId, conversationId, userId, clientMessageId, content, replyTo, attachments, at } = event;
  if (event.type !== 'MessagePosted' || event.v !== 1) return null;
  if (typeof messageId !== 'string' || !isMessageId(messageId)) return null;
  if (typeof conversationId !== 'string' || !isConversationId(conversationId)) return null;
  if (typeof userId !== 'string' || !PLAIN.test(userId)) return null;
  if (typeof clientMessageId !== 'string' || !PLAIN.test(clientMessageId)) return null;
  if (typeof content !== 'string' || !isContent(content)) return null;
  if (replyTo !== null && (typeof replyTo !== 'string' || !isMessageId(replyTo))) return null;
  if (!Array.isArray(attachments) || attachments.length > 0) return null;
  if (typeof at !== 'string' || !AT.test(at)) return null;
  const ids = { messageId, conversationId, userId, clientMessageId };
  return { type: 'MessagePosted', v: 1, ...ids, content, replyTo, attachments, at };
}

function isContent(text: string): boolean {
  return text.length > 0 && text.length <= CONTENT_LENGTH_MAX && text.isWellFormed() && !text.includes('\0');
}
