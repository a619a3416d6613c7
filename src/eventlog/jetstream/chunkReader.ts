import { CHUNK_BYTES } from '../../contracts/uploads/uploads.ts';
import { type ByteRange, DamagedUploadError } from '../../ports/attachmentStore.ts';

/** Chunks that are asked for before their turn, so that the next is there when one is taken. */
const AHEAD_CHUNKS_MAX = 2;

export interface ChunkedUpload {
  readonly seqs: readonly number[];
  readonly bytes: number;
  readonly chunkAt: (seq: number) => Promise<Uint8Array>;
}

/**
 * The bytes of a range, beginning at the chunk that holds the first of them. Reads at most {@link AHEAD_CHUNKS_MAX}
 * chunks ahead of its reader.
 *
 * @throws DamagedUploadError for a chunk that is not as long as it must be; and what `chunkAt` throws
 */
export async function* readChunks(
  upload: ChunkedUpload,
  { first, last }: ByteRange,
): AsyncGenerator<Uint8Array, void> {
  const end = Math.floor(last / CHUNK_BYTES);
  const coming: Promise<Uint8Array>[] = [];
  let asked = Math.floor(first / CHUNK_BYTES);
  for (let index = asked; index <= end; index++) {
    for (; asked <= end && asked <= index + AHEAD_CHUNKS_MAX; asked++) coming.push(chunk(upload, asked));
    const bytes = await coming.shift();
    if (bytes === undefined) throw new Error('What is waited for was asked for');
    const start = index * CHUNK_BYTES;
    yield bytes.subarray(Math.max(0, first - start), last + 1 - start);
  }
}

function chunk({ seqs, bytes, chunkAt }: ChunkedUpload, index: number): Promise<Uint8Array> {
  const length = Math.min(CHUNK_BYTES, bytes - index * CHUNK_BYTES);
  const reading = chunkAt(seqs[index] ?? 0).then((data) => {
    if (data.length === length) return data;
    throw new DamagedUploadError(`Chunk ${index} of an upload has ${data.length} bytes instead of ${length}`);
  });
  // Its turn may never come, when one before it fails or the reader goes.
  reading.catch(() => {});
  return reading;
}
