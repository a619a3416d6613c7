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
  const { conversationId, from } = stretch;
  const reader = new StretchReader(timers, stretch);
  let following: Following | null = null;
  try {
    following = await feed.follow({
      conversationId,
      after: from - 1,
      onEvent: (event) => reader.take(event),
    });
    if (following.remaining === 0 && reader.events.length === 0) reader.end(false);
    return { more: await reader.ended, events: reader.events };
  } finally {
    reader.stop();
    await following?.stop();
  }
}

/** Gathers the events of a stretch until it ends, or until the log is silent for too long. */
class StretchReader {
  readonly events: QueuedEvent[] = [];
  /** Whether there may be more. */
  readonly ended: Promise<boolean>;
  end: (more: boolean) => void = () => {};
  #fail: (error: Error) => void = () => {};
  #cancelSilence: () => void;
  readonly #timers: Timers;
  readonly #stretch: Stretch;

  constructor(timers: Timers, stretch: Stretch) {
    this.#timers = timers;
    this.#stretch = stretch;
    this.ended = new Promise((resolve, reject) => {
      this.end = resolve;
      this.#fail = reject;
    });
    // The silence may be over before the end is waited for.
    this.ended.catch(() => {});
    this.#cancelSilence = this.#awaitNext();
  }

  take(event: FollowedEvent): void {
    const { max, until } = this.#stretch;
    this.#cancelSilence();
    this.#cancelSilence = this.#awaitNext();
    if (this.events.length >= max) return this.end(true);
    if (event.seq > until) return this.end(false);
    this.events.push(readEvent(event));
    if (event.remaining === 0 || event.seq === until) this.end(false);
  }

  stop(): void {
    this.#cancelSilence();
  }

  #awaitNext(): () => void {
    const silence = `The log sent nothing of ${this.#stretch.conversationId} for ${SILENCE_MS_MAX} ms`;
    return this.#timers.after(SILENCE_MS_MAX, () => this.#fail(new Error(silence)));
  }
}
