import { setTimeout } from 'node:timers/promises';
import type { Pool } from 'pg';
import { inTransaction } from '../../src/platform/postgres/transaction.ts';
import { backoffMs } from '../../src/platform/time/backoff.ts';
import type { FollowingReceipts, ReceiptLog, StoredReceipt } from '../../src/ports/receipts.ts';
import { MOVE_CHECKPOINT, READ_CHECKPOINT, UPSERT_RECEIPTS } from './statements.ts';

export interface ReceiptsWriterOptions {
  readonly receipts: ReceiptLog;
  readonly pool: Pool;
  readonly onFault: (error: unknown) => void;
  /** Receipts written in one transaction, at most. Default 1,000. */
  readonly batchMax?: number;
  /** Uniform in [0, 1); decides the pause after a fault. Default `Math.random`. */
  readonly random?: () => number;
}

/** Between attempts after a fault. */
const RETRY_BACKOFF = { delayMsMin: 100, delayMsMax: 10_000 };
/** What comes within this time is written together, in milliseconds. */
const GATHER_MS = 50;

/**
 * Writes receipts into Postgres.
 *
 * States: `following` (receipts come in and are written), `resting` (after a fault, with a pause that grows up to 10 s and
 * has jitter), `stopped`. From `resting` it goes on at the checkpoint, which moves in the transaction of the rows. A
 * receipt that is written twice changes nothing, so two writers do no harm; of a stream that was made again it begins at
 * its start. At most two batches are in memory.
 */
export class ReceiptsWriter {
  readonly #options: ReceiptsWriterOptions;
  readonly #batchMax: number;
  #running: Promise<void> = Promise.resolve();
  readonly #stopping = new AbortController();
  #arrived: (() => void) | null = null;

  constructor(options: ReceiptsWriterOptions) {
    this.#options = options;
    this.#batchMax = options.batchMax ?? 1_000;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#arrived?.();
    await this.#running;
  }

  get #stopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#stopped; failures++) {
      try {
        await this.#follow(() => {
          failures = 0;
        });
      } catch (error) {
        this.#options.onFault(error);
        await this.#rest(failures);
      }
    }
  }

  async #follow(onWritten: () => void): Promise<void> {
    const stream = await this.#options.receipts.identity();
    const after = await this.#checkpoint(stream);
    let waiting: StoredReceipt[] = [];
    const following = await this.#options.receipts.follow({
      after,
      unreleasedMax: 2 * this.#batchMax,
      onReceipt: (receipt) => {
        waiting.push(receipt);
        this.#arrived?.();
      },
    });
    try {
      while (!this.#stopped) {
        if (waiting.length === 0) await this.#arrival();
        // A moment for what belongs together; the next batch gathers while this one is written anyway.
        if (waiting.length < this.#batchMax) await this.#pause(GATHER_MS);
        const batch = waiting.slice(0, this.#batchMax);
        waiting = waiting.slice(this.#batchMax);
        await this.#write(stream, batch, following);
        if (batch.length > 0) onWritten();
      }
    } finally {
      await following.stop();
    }
  }

  async #write(stream: string, batch: readonly StoredReceipt[], following: FollowingReceipts): Promise<void> {
    const last = batch.at(-1);
    if (last === undefined) return;
    const rows = newestOfEach(batch);
    await inTransaction(this.#options.pool, async (client) => {
      await client.query(UPSERT_RECEIPTS, [
        rows.map(({ userId }) => userId),
        rows.map(({ conversationId }) => conversationId),
        rows.map(({ seq }) => seq),
        rows.map(({ at }) => at),
      ]);
      await client.query(MOVE_CHECKPOINT, [stream, last.receiptSeq]);
    });
    following.release(batch.length);
  }

  async #checkpoint(stream: string): Promise<number> {
    const { rows } = await this.#options.pool.query<{ stream: string; receipt_seq: string }>(READ_CHECKPOINT);
    const [row] = rows;
    return row?.stream === stream ? Number(row.receipt_seq) : 0;
  }

  #rest(failures: number): Promise<void> {
    return this.#pause(backoffMs(RETRY_BACKOFF, failures, this.#options.random ?? Math.random));
  }

  #arrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#arrived = () => {
        this.#arrived = null;
        resolve();
      };
      if (this.#stopped) this.#arrived();
    });
  }

  /** Ends early when it is stopped. */
  async #pause(ms: number): Promise<void> {
    const { signal } = this.#stopping;
    await setTimeout(ms, undefined, { signal }).catch(() => {});
  }
}

/** One statement may not change a row twice. */
function newestOfEach(batch: readonly StoredReceipt[]): StoredReceipt[] {
  const newest = new Map<string, StoredReceipt>();
  for (const receipt of batch) {
    const key = `${receipt.conversationId} ${receipt.userId}`;
    const known = newest.get(key);
    if (known === undefined || known.seq < receipt.seq) newest.set(key, receipt);
  }
  return [...newest.values()];
}
