import { InvalidArgumentError } from 'commander';
import { isConversationId } from '../contracts/ids.ts';

/** How the command line reads arguments and options. Each throws commander's InvalidArgumentError. */

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
