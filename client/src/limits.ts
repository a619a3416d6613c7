import { InvalidArgumentError } from './errors.ts';
import { INBOX } from './protocol.ts';

/**
 * What the server accepts, checked here first: a frame that violates it would be refused, and one that is too large would
 * close the socket, again and again with every reconnect.
 */
const PRINTABLE = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]{1,128}$/u;
/** Of users: neither the first nor the last character shows nothing. */
const VISIBLY_NAMED =
  /^(?![\p{Z}\u2800\p{DI}])[^\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]{0,127}(?![\p{Z}\u2800\p{DI}])[^\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]$/u;
const NAMED = 'must be 1–128 printable characters, of which the first and the last are no blanks';
const CONVERSATION_ID = /^c_[A-Za-z0-9_-]{21}$/;
const MESSAGE_ID = /^m_[A-Za-z0-9_-]{22}$/;
const UPLOAD_ID = /^u_[A-Za-z0-9_-]{21}$/;
const EMOJI = /^[^\p{Cc}\p{Cs}\p{Co}\p{Z}]{1,32}$/u;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Longest content of a message, in characters (Unicode code points). */
export const CONTENT_LENGTH_MAX = 8_000;

/** Files of a message, at most. */
export const ATTACHMENTS_MAX = 10;

/** Users whose presence is asked for at a time, at most. */
export const PRESENCE_USERS_MAX = 200;

/** @throws InvalidArgumentError */
export function checkUserId(userId: string): void {
  if (!VISIBLY_NAMED.test(userId)) throw new InvalidArgumentError('userId', NAMED);
}

/** @throws InvalidArgumentError */
export function checkClientMessageId(clientMessageId: string): void {
  if (!PRINTABLE.test(clientMessageId)) {
    throw new InvalidArgumentError('clientMessageId', 'must be 1–128 printable characters');
  }
}

/** @throws InvalidArgumentError */
export function checkClientConversationId(clientConversationId: string): void {
  if (!PRINTABLE.test(clientConversationId)) {
    throw new InvalidArgumentError('clientConversationId', 'must be 1–128 printable characters');
  }
}

/** @throws InvalidArgumentError */
export function checkConversationId(conversationId: string): void {
  if (!CONVERSATION_ID.test(conversationId)) {
    throw new InvalidArgumentError('conversationId', 'must be an id as the server gave it, "c_…"');
  }
}

/** A conversation or the inbox. @throws InvalidArgumentError */
export function checkJoinTarget(conversationId: string): void {
  if (conversationId !== INBOX) checkConversationId(conversationId);
}

/** @throws InvalidArgumentError */
export function checkMessageId(name: string, messageId: string): void {
  if (!MESSAGE_ID.test(messageId)) {
    throw new InvalidArgumentError(name, 'must be an id as the server gave it, "m_…"');
  }
}

/** @throws InvalidArgumentError */
export function checkUploadId(name: string, uploadId: string): void {
  if (!UPLOAD_ID.test(uploadId)) {
    throw new InvalidArgumentError(name, 'must be the id of an upload as the server gave it, "u_…"');
  }
}

/** @throws InvalidArgumentError */
export function checkAttachments(attachments: readonly string[]): void {
  for (const [n, uploadId] of attachments.entries()) checkUploadId(`attachments.${n}`, uploadId);
  if (attachments.length > ATTACHMENTS_MAX || new Set(attachments).size < attachments.length) {
    throw new InvalidArgumentError('attachments', `must be at most ${ATTACHMENTS_MAX}, each of them once`);
  }
}

/** @throws InvalidArgumentError */
/** What a reaction looks like; whether it is one emoji, which not every browser can tell, the server decides. */
export function checkEmoji(emoji: string): void {
  if (!EMOJI.test(emoji)) {
    throw new InvalidArgumentError('emoji', 'must be 1–32 printable characters without spaces');
  }
}

/** @throws InvalidArgumentError */
export function checkUserIds(userIds: readonly string[]): void {
  for (const [n, userId] of userIds.entries()) {
    if (!VISIBLY_NAMED.test(userId)) throw new InvalidArgumentError(`userIds.${n}`, NAMED);
  }
  if (userIds.length === 0 || userIds.length > PRESENCE_USERS_MAX) {
    throw new InvalidArgumentError('userIds', `must be 1–${PRESENCE_USERS_MAX} ids`);
  }
}

/** @throws InvalidArgumentError */
export function checkSeq(name: string, seq: number): void {
  if (!Number.isSafeInteger(seq) || seq < 0)
    throw new InvalidArgumentError(name, 'must be a whole number from 0');
}

/** What a message says: words, or files, or both. @throws InvalidArgumentError */
export function checkMessage(content: string, attachments: readonly string[] = []): void {
  checkAttachments(attachments);
  if (content.length > 0) checkContent(content);
  else if (attachments.length === 0) {
    throw new InvalidArgumentError('content', 'must not be empty in a message without attachments');
  }
}

/** @throws InvalidArgumentError */
export function checkContent(content: string): void {
  if (content.length === 0) throw new InvalidArgumentError('content', 'must not be empty');
  // A code point takes at most two UTF-16 units: beyond twice the limit there is no need to count.
  if (content.length > 2 * CONTENT_LENGTH_MAX || codePoints(content) > CONTENT_LENGTH_MAX) {
    throw new InvalidArgumentError('content', `must have at most ${CONTENT_LENGTH_MAX} characters`);
  }
  if (content.includes('\0') || LONE_SURROGATE.test(content)) {
    throw new InvalidArgumentError('content', 'must be Unicode text without NUL');
  }
}

function codePoints(text: string): number {
  if (text.length <= CONTENT_LENGTH_MAX) return text.length;
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
