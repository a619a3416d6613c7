import { tryDecodeEvent } from '../../contracts/events/events.ts';
import type { MessageEdited, MessagePosted } from '../../domain/conversation/events.ts';
import { readEvents } from '../../ports/readEvents.ts';
import { asChatError } from '../chatErrors.ts';
import { type ApplicationContext, timestamp } from '../context.ts';
import { OPERATOR } from './deleteMessage.ts';
import { removeFiles } from './eraseMessage.ts';
import { changeMessage } from './messageCommand.ts';

/** Events of the user that one pass takes, which bounds memory; and how many of them are worked on at a time. */
const EVENTS_PER_PASS_MAX = 10_000;
const AT_A_TIME = 32;
/** How long the log may stay silent, in milliseconds. */
const SILENCE_MS_MAX = 30_000;

interface Words {
  readonly seq: number;
  readonly event: MessagePosted | MessageEdited;
}

export interface ErasedWords {
  readonly messages: number;
  /** Messages and edits whose bytes were taken out of the log. */
  readonly events: number;
}

/**
 * Erases everything that a user said in one conversation, as an operator: tombstones first, then the events and the files
 * they came with, in bounded passes over the conversation. After a failure, asking again goes on: whatever is still there is
 * found. What the user says while this runs is taken too, up to where the last pass ends.
 *
 * @throws ChatError log_unavailable
 */
export async function eraseUserMessages(
  context: ApplicationContext,
  conversationId: string,
  userId: string,
): Promise<ErasedWords> {
  const endOf = async () => (await context.log.latest(conversationId, 'message'))?.seq ?? 0;
  let done = { messages: 0, events: 0 };
  try {
    const end = await endOf();
    for (let after = 0; after < end; ) {
      const pass = await wordsOf(context, { conversationId, after, until: end }, userId);
      done = plus(done, await erase(context, conversationId, pass.words));
      after = pass.until;
    }
    // An edit that had found its message by then is stored all the same.
    const late = await wordsOf(context, { conversationId, after: end, until: await endOf() }, userId);
    return plus(done, await erase(context, conversationId, late.words));
  } catch (cause) {
    throw asChatError(cause);
  }
}

/** Only authors edit: all events that say something of the user are the user's own. */
export function isWordsOf(userId: string, bytes: Uint8Array, seq: number): Words | null {
  const event = tryDecodeEvent(bytes, seq, { skipUnknown: true });
  const says = event?.type === 'MessagePosted' || event?.type === 'MessageEdited';
  return says && event.userId === userId ? { seq, event } : null;
}

async function wordsOf(
  { feed }: ApplicationContext,
  range: { conversationId: string; after: number; until: number },
  userId: string,
): Promise<{ words: Words[]; until: number }> {
  const words: Words[] = [];
  const stretch = { ...range, category: 'message', timeoutMs: SILENCE_MS_MAX } as const;
  for await (const { bytes, seq } of readEvents(feed, stretch)) {
    const found = isWordsOf(userId, bytes, seq);
    if (found !== null) words.push(found);
    if (words.length === EVENTS_PER_PASS_MAX) return { words, until: seq };
  }
  return { words, until: range.until };
}

async function erase(
  context: ApplicationContext,
  conversationId: string,
  words: readonly Words[],
): Promise<ErasedWords> {
  const firsts = new Map<string, { seq: number; event: MessagePosted }>();
  for (const { seq, event } of words) {
    if (event.type === 'MessagePosted' && !firsts.has(event.messageId))
      firsts.set(event.messageId, { seq, event });
  }
  await each([...firsts.values()], (first) => bury(context, conversationId, first));
  let events = 0;
  await each(words, async ({ seq, event }) => {
    await removeFiles(context, event);
    if (await context.log.erase(seq)) events += 1;
  });
  return { messages: firsts.size, events };
}

async function bury(
  context: ApplicationContext,
  conversationId: string,
  { seq, event }: { readonly seq: number; readonly event: MessagePosted },
): Promise<void> {
  const { messageId, userId: authorId, replyTo, at } = event;
  await changeMessage(context, messageId, {
    type: 'DeleteMessage',
    conversationId,
    userId: OPERATOR,
    target: { messageId, authorId, seq, replyTo, at },
    erase: true,
    by: 'operator',
    at: timestamp(context),
  });
}

async function each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let from = 0; from < items.length; from += AT_A_TIME) {
    await Promise.all(items.slice(from, from + AT_A_TIME).map(work));
  }
}

function plus(a: ErasedWords, b: ErasedWords): ErasedWords {
  return { messages: a.messages + b.messages, events: a.events + b.events };
}
