import { z } from 'zod';
import { AttachmentSchema } from '../events/events.ts';
import { ConversationId, StoredUserId, UploadId } from '../ids.ts';
import { readSeqRuns, writeSeqRuns } from './seqRuns.ts';

/** Uploads lie in an object store as NATS lays it out, so that its tools can read them. Source: NATS ADR-20. */
export const UPLOADS_BUCKET = 'chat-uploads';
export const UPLOADS_STREAM = `OBJ_${UPLOADS_BUCKET}`;

/** Bytes of each part of an upload but the last: what NATS' own clients take. */
export const CHUNK_BYTES = 131_072;

/** How long after its upload a file can be attached to a message. */
export const ATTACHABLE_MS = 23 * 3_600_000;
/**
 * From when on an upload that no message refers to is abandoned. The hour between the two is for messages on their way and
 * for clocks that differ.
 */
export const ABANDONED_AFTER_MS = 24 * 3_600_000;

const CHUNKS = `$O.${UPLOADS_BUCKET}.C.`;
const INFOS = `$O.${UPLOADS_BUCKET}.M.`;
export const UPLOAD_SUBJECTS = `$O.${UPLOADS_BUCKET}.>`;

/** The subject of the bytes. NATS names it after a number of the object's own; an upload's id is as unique. */
export function chunkSubject(id: string): string {
  return CHUNKS + id;
}

/** The subject of what is known of an upload. */
export function infoSubject(id: string): string {
  const text = Buffer.from(id).toString('base64url');
  // NATS' clients look it up with padding.
  return INFOS + text.padEnd(Math.ceil(text.length / 4) * 4, '=');
}

/** What lies at a subject of the bucket; null for what is none of ours. */
export function parseUploadSubject(subject: string): { part: 'chunk' | 'info'; id: string } | null {
  const part = subject.startsWith(CHUNKS) ? 'chunk' : 'info';
  const name = subject.slice(CHUNKS.length);
  const id = part === 'chunk' ? name : Buffer.from(name, 'base64url').toString();
  return UploadId.safeParse(id).success ? { part, id } : null;
}

/** What an upload's info says beyond what NATS has names for. */
const Metadata = z.object({
  fileName: AttachmentSchema.shape.name,
  mediaType: AttachmentSchema.shape.mediaType,
  sha256: AttachmentSchema.shape.sha256,
  conversationId: ConversationId,
  userId: StoredUserId,
  uploadedAtMs: z.string().regex(/^\d{1,15}$/),
  /** Of text; infos from before it was noted have none. */
  charset: z.enum(['utf-8', 'utf-16']).optional(),
  /** The sequences of the chunks in order, so that reading them needs no consumer. */
  seqs: z.string().max(1_000_000),
});

export const UploadInfoSchema = z.object({
  name: UploadId,
  size: z.number().int().min(0),
  chunks: z.number().int().min(0),
  metadata: Metadata,
});

/** An upload as its info tells it. */
export interface UploadInfo {
  readonly id: string;
  readonly name: string;
  readonly mediaType: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly conversationId: string;
  readonly userId: string;
  readonly uploadedAtMs: number;
  readonly charset?: 'utf-8' | 'utf-16' | undefined;
  readonly seqs: readonly number[];
}

/** The info as NATS' clients write theirs. */
export function encodeUploadInfo(info: UploadInfo): string {
  const digest = Buffer.from(info.sha256, 'hex').toString('base64url');
  return JSON.stringify({
    name: info.id,
    nuid: info.id,
    bucket: UPLOADS_BUCKET,
    size: info.bytes,
    chunks: info.seqs.length,
    digest: `SHA-256=${digest.padEnd(Math.ceil(digest.length / 4) * 4, '=')}`,
    mtime: new Date(info.uploadedAtMs).toISOString(),
    options: { max_chunk_size: CHUNK_BYTES },
    metadata: {
      fileName: info.name,
      mediaType: info.mediaType,
      sha256: info.sha256,
      conversationId: info.conversationId,
      userId: info.userId,
      uploadedAtMs: String(info.uploadedAtMs),
      ...(info.charset !== undefined && { charset: info.charset }),
      seqs: writeSeqRuns(info.seqs),
    },
  });
}

/** Reads an info; null for one that is none of ours, such as of an object that a tool has put beside ours. */
export function decodeUploadInfo(bytes: Uint8Array): UploadInfo | null {
  const parsed = UploadInfoSchema.safeParse(parseJson(bytes));
  if (!parsed.success) return null;
  const { name: id, size, chunks, metadata } = parsed.data;
  const seqs = readSeqRuns(metadata.seqs, Math.ceil(size / CHUNK_BYTES));
  if (seqs === null || seqs.length !== chunks) return null;
  const { fileName: name, uploadedAtMs, ...rest } = metadata;
  return { id, name, bytes: size, ...rest, uploadedAtMs: Number(uploadedAtMs), seqs };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return null;
  }
}
