import type { EventFeed } from '../../src/ports/eventFeed.ts';
import { readEvents } from '../../src/ports/readEvents.ts';
import { type QueuedEvent, readEvent } from './groupQueue.ts';

export interface Stretch {
  readonly conversationId: string;
  /** From this sequence on … */
  readonly from: number;
  /** … up to and including this one, … */
  readonly until: number;
  /** … at most this many events. */
  readonly max: number;
}

/**
 * Reads a stretch of one conversation from the log.
 *
 * @returns the events, and whether the log may hold more of them up to `until`
 * @throws LogUnavailableError when the log stays silent
 */
export async function readStretch(
  feed: EventFeed,
  { conversationId, from, until, max }: Stretch,
): Promise<{ events: QueuedEvent[]; more: boolean }> {
  const events: QueuedEvent[] = [];
  for await (const event of readEvents(feed, { conversationId, after: from - 1, until })) {
    if (events.length >= max) return { events, more: true };
    events.push(readEvent(event));
  }
  return { events, more: false };
}
