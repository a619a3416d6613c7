import { CHUNK_BYTES, chunkSubject, encodeUploadInfo, infoSubject } from '../../contracts/uploads/uploads.ts';
import { StoreFullError, type UploadFacts, type UploadWriter } from '../../ports/attachmentStore.ts';
import {
  LogFullError,
  LogOverloadedError,
  LogUnavailableError,
  UnknownOutcomeError,
} from '../../ports/eventLog.ts';

/**
 * Chunks of one upload that were sent and not acknowledged yet, at most. With the one that is being filled, an upload never
 * has more than (4 + 1) × 128 KiB in memory here, however fast its client and however slow the store.
 */
export const UNACKNOWLEDGED_CHUNKS_MAX = 4;

/** What a writer asks of the store. */
export interface ChunkSink {
  /** @returns the sequence it is stored at */
  publish(subject: string, bytes: Uint8Array, key: string, headers?: string): Promise<number>;
  /** Overwrites what lies at these sequences. */
  erase(seqs: readonly number[]): Promise<void>;
}

/**
 * Writes one upload: its bytes in chunks of {@link CHUNK_BYTES}, then the info, by which it begins to exist.
 *
 * `open` → `finish` → done; `open` → `abort` → dropped. A chunk that failed makes every later call fail with the same error;
 * then only `abort` is left.
 */
export class ChunkWriter implements UploadWriter {
  readonly #id: string;
  readonly #sink: ChunkSink;
  #filling: Buffer | null = null;
  #filled = 0;
  #chunks = 0;
  /** By the chunk's number; holes are of chunks without an answer. */
  readonly #seqs: number[] = [];
  readonly #inFlight = new Set<Promise<void>>();
  #failure: unknown = null;

  constructor(id: string, sink: ChunkSink) {
    this.#id = id;
    this.#sink = sink;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      this.#filling ??= Buffer.allocUnsafe(CHUNK_BYTES);
      const part = bytes.subarray(at, at + CHUNK_BYTES - this.#filled);
      this.#filling.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === CHUNK_BYTES) await this.#send();
    }
  }

  async finish(facts: Omit<UploadFacts, 'id'>): Promise<void> {
    if (this.#filled > 0) await this.#send();
    await Promise.all(this.#inFlight);
    this.#check();
    const info = encodeUploadInfo({ ...facts, id: this.#id, seqs: this.#seqs });
    const key = `${this.#id}.info`;
    await this.#publish(infoSubject(this.#id), Buffer.from(info), key, 'Nats-Rollup: sub\r\n');
  }

  async abort(): Promise<void> {
    this.#failure ??= new LogUnavailableError('The upload was given up');
    await Promise.all(this.#inFlight);
    try {
      await this.#sink.erase(this.#seqs.filter((seq) => seq !== undefined));
    } catch {
      // The sweep of the store finds it: chunks without an info.
    }
  }

  async #send(): Promise<void> {
    while (this.#inFlight.size >= UNACKNOWLEDGED_CHUNKS_MAX) await Promise.race(this.#inFlight);
    this.#check();
    if (this.#filling === null) return;
    const bytes = this.#filling.subarray(0, this.#filled);
    this.#filling = null;
    this.#filled = 0;
    const index = this.#chunks++;
    const stored: Promise<void> = this.#publish(chunkSubject(this.#id), bytes, `${this.#id}.${index}`)
      .then(
        (seq) => {
          this.#seqs[index] = seq;
        },
        (error) => {
          this.#failure ??= error;
        },
      )
      .finally(() => this.#inFlight.delete(stored));
    this.#inFlight.add(stored);
  }

  #check(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  async #publish(subject: string, bytes: Uint8Array, key: string, headers?: string): Promise<number> {
    try {
      return await this.#sink.publish(subject, bytes, key, headers);
    } catch (cause) {
      throw asStoreError(cause);
    }
  }
}

/** Not to have heard of a chunk is not to have it: the upload does not exist, and its client sends all of it again. */
function asStoreError(cause: unknown): unknown {
  if (cause instanceof LogFullError) {
    return new StoreFullError(`The store of uploads is full: ${cause.message}`, { cause });
  }
  if (cause instanceof UnknownOutcomeError || cause instanceof LogOverloadedError) {
    return new LogUnavailableError(`The store of uploads does not keep up: ${cause.message}`, { cause });
  }
  return cause;
}
