import type { AckLevel } from '../../contracts/frames/ackLevel.ts';
import type { ReadModelProgress } from '../../ports/readModelProgress.ts';

/** How long an answer waits for the history, in milliseconds: then the message is what it is, accepted. */
const DURABLE_MS_MAX = 8_000;

/**
 * Waits until the history holds a stored message, as far as it is worth waiting: while Postgres is away or the message's
 * conversation is parked, it is accepted and will be there later.
 */
export async function ackLevel(
  historyProgress: ReadModelProgress,
  message: { conversationId: string; seq: number },
): Promise<AckLevel> {
  const arrival = await historyProgress.waitFor(message.conversationId, message.seq, DURABLE_MS_MAX);
  return arrival === 'reached' ? 'durable' : 'accepted';
}
