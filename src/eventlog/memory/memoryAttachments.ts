import { CHUNK_BYTES } from '../../contracts/uploads/uploads.ts';
import {
  type AttachmentStore,
  type ByteRange,
  DamagedUploadError,
  type FoundUpload,
  type Leftover,
  StoreFullError,
  type StoreUsage,
  type Survey,
  type SurveyRequest,
  type UploadFacts,
  type UploadWriter,
} from '../../ports/attachmentStore.ts';

interface Kept {
  readonly chunks: Uint8Array[];
  readonly storedAtMs: number;
  bytes: number;
  /** Null until the upload is complete. */
  facts: UploadFacts | null;
}

/** Uploads in this process's memory, for tests. */
export class MemoryAttachments implements AttachmentStore {
  readonly #kept = new Map<string, Kept>();
  readonly #bytesMax: number;
  readonly #nowMs: () => number;

  constructor(options: { bytesMax?: number; nowMs?: () => number } = {}) {
    this.#bytesMax = options.bytesMax ?? 256 * 1_024 ** 2;
    this.#nowMs = options.nowMs ?? Date.now;
  }

  begin(id: string): UploadWriter {
    const kept: Kept = { chunks: [], storedAtMs: this.#nowMs(), bytes: 0, facts: null };
    return {
      write: async (bytes) => {
        if (this.#bytes() + bytes.length > this.#bytesMax) throw new StoreFullError('The memory is full');
        this.#kept.set(id, kept);
        kept.chunks.push(Uint8Array.from(bytes));
        kept.bytes += bytes.length;
      },
      finish: async (facts) => {
        this.#kept.set(id, kept);
        kept.facts = { ...facts, id };
      },
      abort: async () => void this.#kept.delete(id),
    };
  }

  async find(id: string): Promise<FoundUpload | null> {
    const kept = this.#kept.get(id);
    if (kept === undefined || kept.facts === null) return null;
    const { facts } = kept;
    const read = async function* (this: MemoryAttachments, range: ByteRange = whole(facts)) {
      for (let at = range.first; at <= range.last; at += CHUNK_BYTES) {
        if (this.#kept.get(id) !== kept) throw new DamagedUploadError(`Upload ${id} is gone`);
        yield Buffer.concat(kept.chunks).subarray(at, Math.min(at + CHUNK_BYTES, range.last + 1));
      }
    };
    return { facts, read: read.bind(this) };
  }

  async remove(id: string): Promise<boolean> {
    return (await this.find(id)) !== null && this.#kept.delete(id);
  }

  async survey({ storedBeforeMs, leftBeforeMs }: SurveyRequest): Promise<Survey> {
    const uploads: string[] = [];
    const leftovers: Leftover[] = [];
    for (const [id, { facts, storedAtMs }] of this.#kept) {
      if (facts !== null && storedAtMs < storedBeforeMs) uploads.push(id);
      const remove = async () => void this.#kept.delete(id);
      if (facts === null && storedAtMs < leftBeforeMs) leftovers.push({ id, remove });
    }
    return { uploads, leftovers, next: null };
  }

  async usage(): Promise<StoreUsage> {
    return { bytes: this.#bytes(), bytesMax: this.#bytesMax };
  }

  #bytes(): number {
    return [...this.#kept.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }
}

function whole({ bytes }: UploadFacts): ByteRange {
  return { first: 0, last: bytes - 1 };
}
