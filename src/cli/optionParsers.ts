import { InvalidArgumentError } from 'commander';
import { isConversationId, isMessageId, UserId } from '../contracts/ids.ts';

/** What arguments and options may be; commander shows what is wrong with them. */

export function seconds(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0 || value > 86_400) {
    throw new InvalidArgumentError('must be a number of seconds from 0 to 86400');
  }
  return value;
}

export function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('must be a whole number from 1 on');
  return Number(text);
}

export function conversationId(text: string): string {
  if (!isConversationId(text))
    throw new InvalidArgumentError('must be a conversation id, c_ and 21 characters');
  return text;
}

export function list(text: string): string[] {
  return text.split(',').filter((item) => item !== '');
}

export function messageId(text: string): string {
  if (!isMessageId(text)) throw new InvalidArgumentError('must be a message id, m_ and 22 characters');
  return text;
}

export function userId(text: string): string {
  if (!UserId.safeParse(text).success)
    throw new InvalidArgumentError('must be a user id, 1–128 printable characters');
  return text;
}

const REASON_LENGTH_MAX = 500;

export function reason(text: string): string {
  if (text.length > REASON_LENGTH_MAX)
    throw new InvalidArgumentError(`must have at most ${REASON_LENGTH_MAX} characters`);
  return text;
}
