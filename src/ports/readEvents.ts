import type { EventCategory } from '../domain/conversation/events.ts';
import type { EventFeed, FollowedEvent, Following } from './eventFeed.ts';
import { LogUnavailableError } from './eventLog.ts';

export interface EventRange {
  /** Only one conversation; absent: all of them. */
  readonly conversationId?: string;
  /** Only one category; absent: both. */
  readonly category?: EventCategory;
  /** Read events with a greater sequence than this … */
  readonly after: number;
  /** … up to and including this one. */
  readonly until: number;
  readonly headersOnly?: boolean;
  /** How long the log may stay silent before the read is given up, in milliseconds. Default 5,000. */
  readonly timeoutMs?: number;
}

/** Events in memory at a time, at most: what a reader holds that waits for a slow socket. */
const UNRELEASED_MAX = 256;

/**
 * Reads a stretch of the log, of one conversation as a rule, in order, over any {@link EventFeed}; the feed's contract suite
 * (`test/contract/eventLogContract.ts`) holds it. At most {@link UNRELEASED_MAX} events are read ahead. Leaving the loop
 * early ends the read at the log's side too.
 *
 * @throws LogUnavailableError when the log stays silent for `timeoutMs`
 */
export async function* readEvents(
  feed: EventFeed,
  range: EventRange,
): AsyncGenerator<FollowedEvent, void, undefined> {
  if (range.after >= range.until) return;
  const buffer = new EventBuffer(range.timeoutMs ?? 5_000);
  const { conversationId, category, after, headersOnly } = range;
  const filter = {
    ...(conversationId && { conversationId }),
    ...(category && { category }),
    ...(headersOnly && { headersOnly }),
  };
  const onEvent = (event: FollowedEvent) => buffer.push(event);
  const following: Following = await feed.follow({
    ...filter,
    after,
    manualRelease: true,
    unreleasedMax: UNRELEASED_MAX,
    onEvent,
  });
  try {
    for (let seq = after; seq < range.until; ) {
      // The event at `until` may have been erased since: then the log's end is the end.
      if (buffer.isEmpty && following.remaining === 0) return;
      const event = await buffer.next(conversationId ?? 'what was asked for');
      following.release(1);
      seq = event.seq;
      if (seq > range.until) return;
      yield event;
    }
  } finally {
    // Not awaited: the reader has what it wanted, and the log's side goes away by itself even if this fails.
    void following.stop();
  }
}

/** Hands events from the feed's callback to one waiting reader. Bounded by what the feed sends unreleased. */
class EventBuffer {
  readonly #silenceMsMax: number;
  #events: FollowedEvent[] = [];
  #taken = 0;
  #wake: (() => void) | null = null;

  constructor(silenceMsMax: number) {
    this.#silenceMsMax = silenceMsMax;
  }

  get isEmpty(): boolean {
    return this.#taken >= this.#events.length;
  }

  push(event: FollowedEvent): void {
    this.#events.push(event);
    this.#wake?.();
  }

  async next(conversationId: string): Promise<FollowedEvent> {
    let event = this.#take();
    while (event === undefined) {
      await this.#wait(conversationId);
      event = this.#take();
    }
    return event;
  }

  #take(): FollowedEvent | undefined {
    const event = this.#events[this.#taken];
    this.#taken += 1;
    if (event !== undefined) return event;
    this.#events = [];
    this.#taken = 0;
    return undefined;
  }

  #wait(conversationId: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const silence = `The log sent nothing of ${conversationId} for ${this.#silenceMsMax} ms; try again.`;
      const timer = setTimeout(() => reject(new LogUnavailableError(silence)), this.#silenceMsMax);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = null;
        resolve();
      };
    });
  }
}
