import type { Attachment } from '../domain/conversation/events.ts';

/** How a text is encoded, as `Content-Type` names it. */
export type TextCharset = 'utf-8' | 'utf-16';

/** What is known of an upload: by the store's own count, never by what a client said of it. */
export interface UploadFacts extends Attachment {
  /** Where it may be attached, and by whom. */
  readonly conversationId: string;
  readonly userId: string;
  /** When all of it had come, in milliseconds since 1970. */
  readonly uploadedAtMs: number;
  /** Of text alone. */
  readonly charset?: TextCharset | undefined;
}

/** From the first to the last byte, both included, counted from 0. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/** An upload that can be read. */
export interface FoundUpload {
  readonly facts: UploadFacts;
  /**
   * The bytes, read a little ahead of their reader.
   *
   * @param range within the upload; default: all of it
   * @throws LogUnavailableError, or DamagedUploadError when a part is not there (any more)
   */
  read(range?: ByteRange): AsyncGenerator<Uint8Array, void>;
}

/** An upload on its way in. It does not exist before `finish` has resolved. */
export interface UploadWriter {
  /**
   * Takes bytes, in order. Resolves when there is room for more, so that a writer that waits for it never has more than a
   * bounded part of an upload in memory. The bytes are copied.
   *
   * @throws StoreFullError, LogUnavailableError
   */
  write(bytes: Uint8Array): Promise<void>;
  /** @throws StoreFullError, LogUnavailableError; the upload then does not exist, and `abort` is to be called */
  finish(facts: Omit<UploadFacts, 'id'>): Promise<void>;
  /** Takes back what was stored. Never rejects: what it cannot take back is left to {@link AttachmentStore.survey}. */
  abort(): Promise<void>;
}

/** Bytes whose upload never came to its end. */
export interface Leftover {
  readonly id: string;
  /** @throws LogUnavailableError */
  remove(): Promise<void>;
}

/** A part of what is stored, in the order in which it was. */
export interface Survey {
  /** Uploads that were complete before `storedBeforeMs`. */
  readonly uploads: readonly string[];
  /** What came before `leftBeforeMs` and belongs to no upload. */
  readonly leftovers: readonly Leftover[];
  /** Where to go on; null: this was the last part. */
  readonly next: number | null;
}

export interface SurveyRequest {
  /** `next` of the part before; 0 for the first. */
  readonly after: number;
  /** In milliseconds since 1970, by the store's clock. */
  readonly storedBeforeMs: number;
  readonly leftBeforeMs: number;
}

export interface StoreUsage {
  readonly bytes: number;
  readonly bytesMax: number;
}

/** The store has no room. Nothing was stored. */
export class StoreFullError extends Error {
  override readonly name = 'StoreFullError';
}

/** A part of an upload is missing, or is not what was stored. */
export class DamagedUploadError extends Error {
  override readonly name = 'DamagedUploadError';
}

/**
 * Where uploaded files are kept.
 *
 * In production: `src/eventlog/jetstream/jetStreamAttachments.ts`.
 * In memory: `src/eventlog/memory/memoryAttachments.ts`.
 * Held by `test/contract/attachmentStoreContract.ts`.
 */
export interface AttachmentStore {
  /** @param id one that nothing is stored under, from `Ids.uploadId` */
  begin(id: string): UploadWriter;

  /** @throws LogUnavailableError */
  find(id: string): Promise<FoundUpload | null>;

  /**
   * Removes an upload and overwrites its bytes where they are stored. When that fails half-way, asking again goes on with it.
   *
   * @returns false when there was none (any more)
   * @throws LogUnavailableError
   */
  remove(id: string): Promise<boolean>;

  /**
   * Goes through what is stored, a bounded part at a time.
   *
   * @throws LogUnavailableError
   */
  survey(request: SurveyRequest): Promise<Survey>;

  /** @throws LogUnavailableError */
  usage(): Promise<StoreUsage>;
}
