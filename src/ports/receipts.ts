import type { Receipt } from '../contracts/receipts.ts';

export type { Receipt } from '../contracts/receipts.ts';

/** A receipt where it lies in the stream of receipts. */
export interface StoredReceipt extends Receipt {
  /** Position in the stream of receipts; `seq` is the position in the log of events that was read up to. */
  readonly receiptSeq: number;
}

export interface FollowReceiptsOptions {
  /** Deliver receipts after this position. */
  readonly after: number;
  /** Receipts handed over and not released, at most. */
  readonly unreleasedMax: number;
  readonly onReceipt: (receipt: StoredReceipt) => void;
}

export interface FollowingReceipts {
  release(count: number): void;
  stop(): Promise<void>;
}

/**
 * Who has read how far: the newest receipt for each user and conversation. Two devices of a user may mark at the same time
 * and the older place may be stored last, so a reader takes the greatest receipt it has seen: no receipt moves
 * anybody backwards.
 *
 * In production: `src/eventlog/jetstream/jetStreamReceipts.ts`.
 * In memory: `src/eventlog/memory/memoryReceipts.ts`.
 * Held by `test/contract/receiptsContract.ts`.
 */
export interface ReceiptLog {
  /** @throws LogUnavailableError, UnknownOutcomeError, LogOverloadedError */
  mark(receipt: Receipt): Promise<void>;
  /** The newest receipt; `null` when there is none. @throws LogUnavailableError */
  latest(conversationId: string, userId: string): Promise<Receipt | null>;
  /** Names this incarnation of the stream: positions of different ones must not be compared. */
  identity(): Promise<string>;
  /** Past receipts, then new ones. Recovers from faults by itself until stopped. */
  follow(options: FollowReceiptsOptions): Promise<FollowingReceipts>;
}
