import { asChatError } from '../../application/chatErrors.ts';
import { ChatError } from '../../contracts/errors.ts';
import { parsePosition } from '../../contracts/position.ts';
import type { ReadModelProgress } from '../../ports/readModelProgress.ts';
import type { HttpDeps } from '../deps.ts';

/** How long a read waits for the position it was given, in milliseconds. */
export const POSITION_MS_MAX = 2_000;

/**
 * The sequence in a position.
 *
 * @throws ChatError conflict when it is of another incarnation of the log
 */
export function seqOf(position: string, epoch: string): number {
  const parsed = parsePosition(position);
  if (parsed === null) throw new Error('The schema lets no position through that is none');
  if (parsed.epoch === epoch) return parsed.seq;
  const detail = 'The position is from before the log was restored: read again without it.';
  throw new ChatError('conflict', detail);
}

/**
 * Waits, in bounded time, until read models hold what was written at a position. Which of their checkpoints that is about
 * is a matter of the conversation, which the log knows.
 *
 * @throws ChatError conflict, log_unavailable
 */
export async function reachPosition(
  { application }: Pick<HttpDeps, 'application'>,
  position: string,
  readModels: readonly ReadModelProgress[],
): Promise<void> {
  const seq = seqOf(position, application.log.epoch);
  const event = await application.log.at(seq).catch((cause: unknown) => {
    throw asChatError(cause);
  });
  // Erased since, or never there: nothing to wait for.
  if (event === null) return;
  const { conversationId } = event;
  await Promise.all(readModels.map((model) => model.waitFor(conversationId, seq, POSITION_MS_MAX)));
}
