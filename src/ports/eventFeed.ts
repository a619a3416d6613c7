import type { EventCategory } from '../domain/conversation/events.ts';
import type { StoredEvent } from './eventLog.ts';

export interface FollowOptions {
  /** Deliver events with a greater sequence than this; `'now'`: only what is appended from now on. */
  readonly after: number | 'now';
  /** Only one conversation's events. */
  readonly conversationId?: string;
  /** Only events of one category. */
  readonly category?: EventCategory;
  /** Leave the payloads out: `bytes` are empty. For going through long conversations cheaply. */
  readonly headersOnly?: boolean;
  /**
   * At most this many events are on their way or handed over and not yet released. Bounds memory.
   * Default 2,048.
   */
  readonly unreleasedMax?: number;
  /**
   * True: an event counts as in the follower's hands until {@link Following.release} says otherwise. Default false:
   * it is done with when `onEvent` returns.
   */
  readonly manualRelease?: boolean;
  /**
   * Asked before anything is delivered, at the start and again whenever reading went on after an interruption: whether
   * the log still is the one that was read so far. `false` ends the following; when it rejects, it is asked again.
   */
  readonly confirm?: () => Promise<boolean>;
  /**
   * Called for every event, in order, each once, whatever happens underneath. `remaining` is how many matching
   * events the log held after this one when it was sent: 0 means that the follower has caught up.
   */
  readonly onEvent: (event: FollowedEvent) => void;
}

export interface FollowedEvent extends StoredEvent {
  readonly remaining: number;
  /** The idempotency key it was appended with, when the log still tells; read on demand, it costs. */
  idempotencyKey(): string | null;
}

export interface Following {
  /** The sequence up to which everything was delivered. */
  readonly position: number;
  /** How many matching events the log held after `position` when it last said so; `null` before it did. */
  readonly remaining: number | null;
  /** With `manualRelease`: makes room for as many further events. Who never releases stands still, on purpose. */
  release(count: number): void;
  /** Ends it; no event is delivered any more once this was called. Resolves when the log's side is gone too. */
  stop(): Promise<void>;
}

/**
 * The log as a stream: past events, then live ones, gapless and in order.
 *
 * In production: `src/eventlog/jetstream/jetStreamLog.ts`.
 * In memory: `src/eventlog/memory/memoryEventLog.ts`.
 * Held by `test/contract/eventLogContract.ts`.
 */
export interface EventFeed {
  /** Resolves as soon as following has begun. It then recovers from faults by itself until stopped. */
  follow(options: FollowOptions): Promise<Following>;
}
