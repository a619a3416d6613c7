import type {
  FollowingReceipts,
  FollowReceiptsOptions,
  Receipt,
  ReceiptLog,
  StoredReceipt,
} from '../../ports/receipts.ts';

/** The twin of the stream of receipts, in memory. */
export class MemoryReceipts implements ReceiptLog {
  readonly #newest = new Map<string, StoredReceipt>();
  readonly #followers = new Set<FollowReceiptsOptions>();
  #lastSeq = 0;

  async mark(receipt: Receipt): Promise<void> {
    this.#lastSeq += 1;
    const stored = { ...receipt, receiptSeq: this.#lastSeq };
    const key = keyOf(receipt);
    // As in the stream: what is replaced is gone, and what takes its place comes last.
    this.#newest.delete(key);
    this.#newest.set(key, stored);
    for (const follower of this.#followers) setImmediate(() => this.#deliver(follower, stored));
  }

  async latest(conversationId: string, userId: string): Promise<Receipt | null> {
    const stored = this.#newest.get(keyOf({ conversationId, userId }));
    if (stored === undefined) return null;
    const { receiptSeq: _receiptSeq, ...receipt } = stored;
    return receipt;
  }

  async identity(): Promise<string> {
    return 'memory';
  }

  async follow(options: FollowReceiptsOptions): Promise<FollowingReceipts> {
    this.#followers.add(options);
    for (const stored of this.#newest.values()) {
      if (stored.receiptSeq > options.after) setImmediate(() => this.#deliver(options, stored));
    }
    return {
      release: () => {},
      stop: async () => {
        this.#followers.delete(options);
      },
    };
  }

  #deliver(follower: FollowReceiptsOptions, stored: StoredReceipt): void {
    if (this.#followers.has(follower)) follower.onReceipt(stored);
  }
}

function keyOf({ conversationId, userId }: { conversationId: string; userId: string }): string {
  return `${conversationId} ${userId}`;
}
