import type { EventFeed, FollowedEvent, Following } from '../../src/ports/eventFeed.ts';
import type { Timers } from '../../src/ports/timers.ts';
import { type QueuedEvent, readEvent } from './groupQueue.ts';

export interface Stretch {
  readonly conversationId: string;
  /** From this sequence on … */
  readonly from: number;
  /** … up to and including this one, … */
  readonly until: number;
  /** … at most this number of events. */
  readonly max: number;
}

/** How long the log may stay silent before the read is given up, in milliseconds. */
const SILENCE_MS_MAX = 5_000;

/**
 * Reads a stretch of one conversation from the log.
 *
 * @returns the events, and whether the log may hold more of them up to `until`
 * @throws Error when the log stays silent
 */
export async function readStretch(
  feed: EventFeed,
  timers: Timers,
  stretch: Stretch,
): Promise<{ events: QueuedEvent[]; more: boolean }> {
  const { conversationId, from, until, max } = stretch;
  const events: QueuedEvent[] = [];
  let end: (more: boolean) => void = () => {};
  let fail: (error: Error) => void = () => {};
  const ended = new Promise<boolean>((resolve, reject) => {
    end = resolve;
    fail = reject;
  });
  // The silence may be over before anybody waits for the end.
  ended.catch(() => {});
  const silence = new Error(`The log sent nothing of ${conversationId} for ${SILENCE_MS_MAX} ms`);
  let cancel = timers.after(SILENCE_MS_MAX, () => fail(silence));
  const onEvent = (event: FollowedEvent) => {
    cancel();
    cancel = timers.after(SILENCE_MS_MAX, () => fail(silence));
    if (events.length >= max) return end(true);
    if (event.seq > until) return end(false);
    events.push(readEvent(event));
    if (event.remaining === 0 || event.seq === until) end(false);
  };
  let following: Following | null = null;
  try {
    following = await feed.follow({ conversationId, after: from - 1, onEvent });
    if (following.remaining === 0 && events.length === 0) end(false);
    return { more: await ended, events };
  } finally {
    cancel();
    await following?.stop();
  }
}
