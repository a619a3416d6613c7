import { fileTypeFromBuffer } from 'file-type';
import { ChatError } from '../../contracts/errors.ts';
import { BINARY_TYPES } from '../../contracts/uploads/mediaTypes.ts';
import { beginsAsText, encodingOf, type TextEncoding } from './plainText.ts';
import { PLAIN, textTypeOf } from './textTypes.ts';

/** What may be uploaded beside text. */
export const ALLOWED_TYPES: ReadonlySet<string> = new Set(BINARY_TYPES);

/** Bytes at the beginning of a file by which its type is found. Source: file-type's own `reasonableDetectionSizeInBytes`. */
export const SNIFF_BYTES = 4_100;

/** Other names under which clients declare the same, and under which it is found. */
const ALIASES: Readonly<Record<string, string>> = {
  'image/jpg': 'image/jpeg',
  'image/pjpeg': 'image/jpeg',
  'image/x-png': 'image/png',
  'image/apng': 'image/png',
  'application/x-pdf': 'application/pdf',
  'audio/mp3': 'audio/mpeg',
  'audio/x-mp3': 'audio/mpeg',
  'audio/opus': 'audio/ogg',
  'audio/wave': 'audio/wav',
  'audio/x-wav': 'audio/wav',
  'audio/vnd.wave': 'audio/wav',
  'audio/webm': 'video/webm',
  'application/x-zip': 'application/zip',
  'application/x-zip-compressed': 'application/zip',
};

/** Says nothing of what is in it. */
const UNDECLARED = 'application/octet-stream';

/** What a file is. */
export interface FileType {
  /** One of {@link ALLOWED_TYPES}, or a type of text. */
  readonly mediaType: string;
  /** Of text: how it is encoded. The rest of the file is to be checked with `PlainText`. Null: it is no text. */
  readonly encoding: TextEncoding | null;
}

/**
 * The type of a file by its first bytes. Text comes first, since much of it begins as some binary format does (`BM`, `GIF`,
 * `ID3`, `MZ`, the byte order mark of UTF-16); no binary format but PDF can be all text. What a client declares decides nothing
 * but which kind of text it is.
 *
 * @param head {@link SNIFF_BYTES} of it, or all there is
 * @throws ChatError unsupported_media_type
 */
export async function mediaTypeOf(head: Uint8Array, declared: string): Promise<FileType> {
  const named = canonical(declared);
  if (beginsAsText(head) && !isPdf(head)) return textOf(head, named);
  // Its byte order mark would be found to begin an MPEG stream of a layer that nobody uses.
  if (encodingOf(head) !== 'utf-8')
    throw unsupported('The file begins as text in UTF-16, but it is not text.');
  const mediaType = canonical((await fileTypeFromBuffer(head))?.mime.split(';')[0] ?? 'unknown');
  if (!ALLOWED_TYPES.has(mediaType)) {
    throw unsupported(
      `Files of type ${mediaType} are not taken; text is, and ${[...ALLOWED_TYPES].join(', ')}.`,
    );
  }
  // A part without a type counts as plain text (RFC 7578, section 4.4): many clients send files so, whatever is in them.
  if (named !== UNDECLARED && named !== PLAIN && named !== mediaType) throw contradicted(named, mediaType);
  return { mediaType, encoding: null };
}

/** All of a PDF may be text. */
function isPdf(head: Uint8Array): boolean {
  return /^%PDF-\d/.test(Buffer.from(head.subarray(0, 6)).toString('latin1'));
}

function textOf(head: Uint8Array, named: string): FileType {
  const mediaType = textTypeOf(named);
  if (mediaType === null) throw contradicted(named, 'text');
  return { mediaType, encoding: encodingOf(head) };
}

function canonical(type: string): string {
  const name = type.toLowerCase();
  return ALIASES[name] ?? name;
}

function contradicted(named: string, found: string): ChatError {
  return unsupported(`The file is declared as ${named.slice(0, 100)}, but its bytes are those of ${found}.`);
}

export function unsupported(detail: string, cause?: unknown): ChatError {
  return new ChatError('unsupported_media_type', detail, { cause });
}
