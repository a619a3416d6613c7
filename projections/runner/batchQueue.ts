import type { FollowedEvent } from '../../src/ports/eventFeed.ts';

/**
 * Holds the events that the feed has handed over until the runner takes them, a batch at a time. Bounded by what the
 * feed sends unreleased.
 */
export class BatchQueue {
  #events: FollowedEvent[] = [];
  #wake: (() => void) | null = null;

  push(event: FollowedEvent): void {
    this.#events.push(event);
    this.#wake?.();
  }

  get size(): number {
    return this.#events.length;
  }

  /** Whatever is there, at most `max` events; waits for the first one. Empty when the signal aborts. */
  async take(max: number, signal: AbortSignal): Promise<FollowedEvent[]> {
    if (this.#events.length === 0 && !signal.aborted) await this.#arrival(signal);
    if (signal.aborted) return [];
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
