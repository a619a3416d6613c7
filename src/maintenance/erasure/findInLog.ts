import { isWordsOf } from '../../application/commands/eraseUserMessages.ts';
import type { ApplicationContext } from '../../application/context.ts';
import { holdsText } from '../../application/holdsText.ts';
import { readEvents } from '../../ports/readEvents.ts';

export interface SearchProgress {
  /** The sequence that was read, of all up to the log's end. */
  readonly read: number;
  readonly total: number;
}

type Log = Pick<ApplicationContext, 'log' | 'feed'>;

/** How long the log may stay silent, in milliseconds. */
const SILENCE_MS_MAX = 30_000;
/** Conversations of one user: more than anybody takes part in. */
const CONVERSATIONS_MAX = 1_000_000;

/**
 * Where a message is, found by its id in the headers of the log, up to the log's end of now. No database is asked: one
 * that lags, or is away, would say that there is nothing to erase.
 *
 * @returns null when the log does not hold it (any more)
 * @throws LogUnavailableError
 */
export async function findMessageInLog(
  { log, feed }: Log,
  messageId: string,
  onProgress: (progress: SearchProgress) => void,
): Promise<{ conversationId: string; seq: number } | null> {
  const { lastSeq: total } = await log.status();
  const range = { category: 'message', after: 0, until: total, headersOnly: true } as const;
  for await (const event of readEvents(feed, { ...range, timeoutMs: SILENCE_MS_MAX })) {
    onProgress({ read: event.seq, total });
    if (event.idempotencyKey() === messageId) return { conversationId: event.conversationId, seq: event.seq };
  }
  return null;
}

/**
 * How many messages and edits of a user each conversation holds: one pass over the log, up to its end of now.
 *
 * @throws LogUnavailableError
 */
export async function findUserInLog(
  { log, feed }: Log,
  userId: string,
  onProgress: (progress: SearchProgress) => void,
): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  const { lastSeq: total } = await log.status();
  const range = { category: 'message', after: 0, until: total, timeoutMs: SILENCE_MS_MAX } as const;
  // As every writer of events writes it.
  const quoted = JSON.stringify(userId);
  for await (const { seq, bytes, conversationId } of readEvents(feed, range)) {
    onProgress({ read: seq, total });
    if (!holdsText(bytes, quoted) || isWordsOf(userId, bytes, seq) === null) continue;
    found.set(conversationId, (found.get(conversationId) ?? 0) + 1);
    if (found.size > CONVERSATIONS_MAX)
      throw new Error(`${userId} is in more than ${CONVERSATIONS_MAX} conversations`);
  }
  return found;
}
