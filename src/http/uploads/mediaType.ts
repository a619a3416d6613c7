import { fileTypeFromBuffer } from 'file-type';
import { ChatError } from '../../contracts/errors.ts';

/**
 * What may be uploaded: what chats are full of, and nothing that a browser runs. Anything that can hold script and be shown as
 * a page of its own (HTML, SVG, XML) is not on it, nor are office files, which are not worth their macros here.
 */
export const ALLOWED_TYPES: ReadonlySet<string> = new Set([
  'image/png',
  'image/jpeg',
  'image/gif',
  'image/webp',
  'image/avif',
  'application/pdf',
  'audio/mpeg',
  'audio/ogg',
  'audio/wav',
  'video/mp4',
  'video/webm',
  'application/zip',
  'text/plain',
]);

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
/** What a part without a type counts as (RFC 7578, section 4.4): many clients send files so, whatever is in them. */
const PLAIN = 'text/plain';
/** Found by how text begins, so that what is declared as plain text may begin so too: it is served as nothing else. */
const TEXTUAL_FINDS = new Set(['application/xml', 'text/xml']);

/**
 * The type of a file by its first bytes. What a client declares decides nothing but whether text is plain.
 *
 * @param head {@link SNIFF_BYTES} of it, or all there is
 * @returns one of {@link ALLOWED_TYPES}; for `text/plain` the rest is to be checked with {@link PlainText}
 * @throws ChatError unsupported_media_type
 */
export async function mediaTypeOf(head: Uint8Array, declared: string): Promise<string> {
  const named = canonical(declared);
  const found = await foundIn(head);
  const type = found ?? textType(head, named);
  if (!ALLOWED_TYPES.has(type)) {
    throw unsupported(`Files of type ${type} are not taken; these are: ${[...ALLOWED_TYPES].join(', ')}.`);
  }
  if (named !== UNDECLARED && named !== PLAIN && named !== type) {
    throw unsupported(`The file is declared as ${named.slice(0, 100)}, but its bytes are those of ${type}.`);
  }
  return type;
}

async function foundIn(head: Uint8Array): Promise<string | null> {
  const found = (await fileTypeFromBuffer(head))?.mime.split(';')[0];
  return found === undefined || TEXTUAL_FINDS.has(found) ? null : canonical(found);
}

/** Of what has no magic bytes. Markup is plain text only to those who say that it is. */
function textType(head: Uint8Array, named: string): string {
  if (named === UNDECLARED && /^[\ufeff\s]*</.test(Buffer.from(head).toString())) return 'text/html';
  return named === UNDECLARED || named === PLAIN ? PLAIN : 'unknown';
}

function canonical(type: string): string {
  const name = type.toLowerCase();
  return ALIASES[name] ?? name;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/;

/** Checks that what passes is text: UTF-8 without control characters other than tab and line ends. */
export class PlainText {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });

  /** @throws ChatError unsupported_media_type */
  add(bytes: Uint8Array): void {
    this.#check(() => this.#decoder.decode(bytes, { stream: true }));
  }

  /** @throws ChatError unsupported_media_type when it ended within a character */
  end(): void {
    this.#check(() => this.#decoder.decode());
  }

  #check(decode: () => string): void {
    let text: string;
    try {
      text = decode();
    } catch (cause) {
      throw unsupported('The file has no type that is known, and it is not text in UTF-8.', cause);
    }
    if (CONTROL.test(text))
      throw unsupported('The file has no type that is known, and it is not plain text.');
  }
}

function unsupported(detail: string, cause?: unknown): ChatError {
  return new ChatError('unsupported_media_type', detail, { cause });
}
