import { decodeEvent } from '../../src/contracts/events/events.ts';
import type { ChatEvent } from '../../src/domain/conversation/events.ts';
import type { FollowedEvent } from '../../src/ports/eventFeed.ts';

/** An event that waits to be projected: decoded, or with the reason why it cannot be. */
export type QueuedEvent = {
  readonly seq: number;
  readonly storedAtMs: number;
  readonly conversationId: string;
  readonly bytes: Uint8Array;
} & (
  | { readonly event: ChatEvent; readonly error?: never }
  | { readonly event?: never; readonly error: Error }
);

export interface QueuedBatch {
  readonly events: readonly QueuedEvent[];
  /** Sequences in front of or between these events that the log no longer holds. */
  readonly holes: readonly number[];
}

/**
 * Holds what the feed has handed over of one partition group until its worker takes it, a batch at a time. Events are
 * decoded as they arrive, which is while Postgres works on the batch before. Bounded by what the feed sends unreleased.
 */
export class GroupQueue {
  #events: QueuedEvent[] = [];
  #holes: number[] = [];
  #wake: (() => void) | null = null;

  get size(): number {
    return this.#events.length;
  }

  push(followed: FollowedEvent): void {
    this.#events.push(readEvent(followed));
    this.#wake?.();
  }

  /** The log holds nothing at this sequence any more. */
  pushHole(seq: number): void {
    this.#holes.push(seq);
  }

  /** Whether there is an event up to and including `ceiling`. */
  hasUpTo(ceiling: number): boolean {
    const [first] = this.#events;
    return first !== undefined && first.seq <= ceiling;
  }

  /** Whatever is there up to and including `ceiling`, at most `max` events. */
  take(max: number, ceiling: number): QueuedBatch {
    let count = Math.min(max, this.#events.length);
    while (count > 0 && (this.#events[count - 1]?.seq ?? 0) > ceiling) count -= 1;
    const events = this.#events.slice(0, count);
    this.#events = this.#events.slice(count);
    const last = this.#events.length === 0 ? Number.POSITIVE_INFINITY : (events.at(-1)?.seq ?? 0);
    const holes = this.#holes.filter((seq) => seq <= last);
    this.#holes = this.#holes.filter((seq) => seq > last);
    return { events, holes };
  }

  /** Calls back once, when something arrives. */
  onArrival(wake: () => void): void {
    this.#wake = wake;
  }
}

/** Decodes an event; an error is kept in its place, because events before it come first. */
export function readEvent({ seq, storedAtMs, conversationId, bytes }: FollowedEvent): QueuedEvent {
  try {
    const event = decodeEvent(bytes, seq);
    if (event.conversationId === conversationId) return { seq, storedAtMs, conversationId, bytes, event };
    throw new Error(
      `Event ${seq} lies among those of ${conversationId}, but says that it belongs to ${event.conversationId}`,
    );
  } catch (cause) {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    return { seq, storedAtMs, conversationId, bytes, error };
  }
}
