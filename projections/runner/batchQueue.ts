import { decodeEvent } from '../../src/contracts/events.ts';
import type { ChatEvent } from '../../src/domain/conversation/events.ts';
import type { FollowedEvent } from '../../src/ports/eventFeed.ts';

/** An event that is ready to be projected. */
export interface QueuedEvent {
  readonly seq: number;
  readonly storedAtMs: number;
  readonly event: ChatEvent;
}

/**
 * Holds the events that the feed has handed over until the runner takes them, a batch at a time. They are decoded as they
 * arrive, which is while Postgres works on the batch before. Bounded by what the feed sends unreleased.
 */
export class BatchQueue {
  #events: QueuedEvent[] = [];
  /** What stands behind the events above: nothing after it is taken in. */
  #failure: { error: unknown } | null = null;
  #wake: (() => void) | null = null;

  push(event: FollowedEvent): void {
    if (this.#failure !== null) return;
    try {
      const { seq, storedAtMs, bytes } = event;
      this.#events.push({ seq, storedAtMs, event: decodeEvent(bytes, seq) });
    } catch (error) {
      this.#failure = { error };
    }
    this.#wake?.();
  }

  /** What is waiting, an event that cannot be read included. */
  get size(): number {
    return this.#events.length + (this.#failure === null ? 0 : 1);
  }

  /**
   * Whatever is there, at most `max` events; waits for the first one. Empty when the signal aborts.
   *
   * @throws UndecodableEventError once everything before the event that cannot be read was taken
   */
  async take(max: number, signal: AbortSignal): Promise<QueuedEvent[]> {
    if (this.#events.length === 0 && this.#failure === null && !signal.aborted) await this.#arrival(signal);
    if (signal.aborted) return [];
    if (this.#events.length === 0 && this.#failure !== null) throw this.#failure.error;
    const batch = this.#events.slice(0, max);
    this.#events = this.#events.slice(max);
    return batch;
  }

  #arrival(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#wake = null;
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#wake = wake;
      signal.addEventListener('abort', wake);
    });
  }
}
