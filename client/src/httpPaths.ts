import { InvalidArgumentError } from './errors.ts';
import { checkEmoji } from './limits.ts';

/** A query of the fields that are there. */
export function query(fields: Readonly<Record<string, string | number | undefined>>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) search.set(name, String(value));
  }
  return `?${search}`;
}

/** A reaction of a message. @throws InvalidArgumentError */
export function reactionPath(messageId: string, emoji: string): string {
  checkEmoji(emoji);
  // A URL has no name of dots: with `..` in its place, taking the reaction back would delete the message itself.
  if (emoji === '.' || emoji === '..') {
    throw new InvalidArgumentError('emoji', 'must not be a dot or two over HTTP; a ChatClient can send them');
  }
  return `/messages/${messageId}/reactions/${encodeURIComponent(emoji)}`;
}

/** Each id by itself, as ids may hold commas. What is given once is a list, so the only one is given twice. */
export function presenceQuery(userIds: readonly string[]): string {
  const [only] = userIds;
  const named = userIds.length === 1 && only !== undefined ? [only, only] : userIds;
  return `?${new URLSearchParams(named.map((userId): [string, string] => ['userIds', userId]))}`;
}
