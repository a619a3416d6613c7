import type { EventCategory } from '../domain/conversation/events.ts';

/** An event where it lies in the log. `bytes` are exactly what was appended. */
export interface StoredEvent {
  readonly seq: number;
  readonly conversationId: string;
  readonly category: EventCategory;
  readonly bytes: Uint8Array;
  /** When the log stored it, in milliseconds since 1970 (not the time that the event itself names). */
  readonly storedAtMs: number;
}

export interface AppendRequest {
  readonly conversationId: string;
  readonly category: EventCategory;
  readonly bytes: Uint8Array;
  /** The same for every attempt at the same thing: the log stores it once. */
  readonly idempotencyKey: string;
  /**
   * Store only if this is the sequence of the latest event of the same conversation and category (0: there is
   * none yet). Absent: store unconditionally.
   */
  readonly expectedSeq?: number;
}

export type AppendResult =
  | {
      readonly outcome: 'stored';
      readonly seq: number;
      /** The log had it already, from another append with the same key. */
      readonly duplicate: boolean;
      /** The log had it already, from an earlier attempt of this append or from another append: nobody knows. */
      readonly retried?: true;
    }
  /** Somebody else's event came first; nothing was stored. */
  | { readonly outcome: 'conflict' };

export interface LogStatus {
  /** Names this incarnation of the log: sequences of different epochs must not be compared. */
  readonly epoch: string;
  /** The epoch before, when the log was found to have lost its tail; `null` for one that never did. */
  readonly previousEpoch: string | null;
  /** Names the log through all its epochs. */
  readonly logId: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly bytes: number;
  readonly bytesMax: number;
  readonly replicas: number;
}

/** A new epoch for a log that lost something. */
export interface EpochRenewal {
  /** The epoch that the log has now; nothing is done when it has another one. */
  readonly from: string;
  /** The epoch whose positions are not valid any more. Default: `from`. */
  readonly lost?: string;
  /** The identity that the log goes on with. Default: the one it has. */
  readonly logId?: string;
}

/** Nothing was stored, certainly. Retrying later is right. */
export class LogUnavailableError extends Error {
  override readonly name: string = 'LogUnavailableError';
}

/** The log has no room: nothing was stored, and nothing will be until somebody makes room. Reading goes on. */
export class LogFullError extends LogUnavailableError {}

/** The log did not answer in time: the event may be stored or not. Retrying with the same key is right. */
export class UnknownOutcomeError extends Error {
  override readonly name = 'UnknownOutcomeError';
}

/** More appends are waiting than the bound allows. Nothing was stored. */
export class LogOverloadedError extends Error {
  override readonly name = 'LogOverloadedError';
}

/** The event is larger than the log takes. Nothing was stored. */
export class EventTooLargeError extends Error {
  override readonly name = 'EventTooLargeError';
}

/**
 * The log: the truth. Appending and reading by position; see {@link EventFeed} for following it.
 *
 * In production: `src/eventlog/jetstream/jetStreamLog.ts`.
 * In memory: `src/eventlog/memory/memoryEventLog.ts`.
 * Held by `test/contract/eventLogContract.ts`.
 */
export interface EventLog {
  /**
   * @throws LogUnavailableError, UnknownOutcomeError, LogOverloadedError, EventTooLargeError
   */
  append(request: AppendRequest): Promise<AppendResult>;

  /** The latest event of a conversation and category; `null` when there is none. */
  latest(conversationId: string, category: EventCategory): Promise<StoredEvent | null>;

  /** The event at a sequence; `null` when there is none (any more). */
  at(seq: number): Promise<StoredEvent | null>;

  /**
   * Takes one event's bytes out of the log for good, by overwriting them where they are stored; its sequence stays
   * unused. What mirrors and backups hold of it stays.
   *
   * @returns false when there was none (any more)
   * @throws LogUnavailableError
   */
  erase(seq: number): Promise<boolean>;

  /**
   * Gives the log a new epoch, because what it holds is no longer what it held. Does nothing when it has another epoch
   * than `from` already.
   *
   * @returns the epoch from now on
   * @throws LogUnavailableError
   */
  renewEpoch(renewal: EpochRenewal): Promise<string>;

  /** What the log holds and how full it is, asked now. */
  status(): Promise<LogStatus>;

  /** The epoch as last seen, without asking. */
  readonly epoch: string;

  /**
   * The highest sequence of this epoch that this process appended or read (0: none), without asking. The log's end is there
   * or beyond, unless the log lost its tail.
   */
  readonly knownSeq: number;
}
