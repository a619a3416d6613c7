import { createHash } from 'node:crypto';
import { ChatError } from '../../contracts/errors.ts';
import type { TextCharset, UploadWriter } from '../../ports/attachmentStore.ts';
import { invalid } from '../request/validate.ts';
import { type FileType, mediaTypeOf, SNIFF_BYTES, unsupported } from './mediaType.ts';
import { NotTextError, PlainText } from './plainText.ts';
import type { FormFile } from './uploadForm.ts';

/** What an upload turned out to be. */
export interface StoredFile {
  readonly mediaType: string;
  /** Of text: as the header of its download names it. */
  readonly charset?: TextCharset;
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Passes a file on to the store as it comes: counted, hashed, and with nothing of it stored before its type is known. Asks for
 * more only when the store has room, so it holds {@link SNIFF_BYTES} and what is in the pipes.
 *
 * @throws ChatError payload_too_large, unsupported_media_type, invalid_request; and what the writer throws
 */
export async function takeFile(file: FormFile, writer: UploadWriter, bytesMax: number): Promise<StoredFile> {
  const hash = createHash('sha256');
  const type = new Sniffer(file.declaredType);
  let bytes = 0;
  for await (const chunk of file.bytes) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw tooLarge(bytesMax);
    hash.update(chunk);
    const known = await type.pass(chunk);
    if (known !== null) await writer.write(known);
  }
  if (bytes === 0) throw invalid([{ path: 'file', reason: 'is empty' }]);
  const rest = await type.end();
  if (rest !== null) await writer.write(rest);
  return { ...type.found, bytes, sha256: hash.digest('hex') };
}

export function tooLarge(bytesMax: number): ChatError {
  return new ChatError('payload_too_large', `The file has more than ${bytesMax} bytes.`);
}

/** Holds the beginning of a file back until its type is known and allowed. */
class Sniffer {
  readonly #declared: string;
  #text: PlainText | null = null;
  #head: Buffer[] = [];
  #length = 0;
  #type: FileType | null = null;

  constructor(declared: string) {
    this.#declared = declared;
  }

  get found(): Pick<StoredFile, 'mediaType' | 'charset'> {
    if (this.#type === null) throw new Error('The type is known once the file has ended');
    const { mediaType, encoding } = this.#type;
    if (encoding === null) return { mediaType };
    // With a byte order mark, which is how UTF-16 is known here, it has this name alone: RFC 2781, section 4.
    return { mediaType, charset: encoding === 'utf-8' ? encoding : 'utf-16' };
  }

  /** @returns what may be stored now */
  async pass(chunk: Buffer): Promise<Uint8Array | null> {
    if (this.#type !== null) return this.#checked(chunk);
    this.#head.push(chunk);
    this.#length += chunk.length;
    return this.#length < SNIFF_BYTES ? null : this.#decide();
  }

  /** @returns what was held back of a file that is shorter than the bytes that its type is found by */
  async end(): Promise<Uint8Array | null> {
    const rest = this.#type === null ? await this.#decide() : null;
    checkText(() => this.#text?.end());
    return rest;
  }

  async #decide(): Promise<Uint8Array> {
    const head = Buffer.concat(this.#head);
    this.#head = [];
    this.#type = await mediaTypeOf(head, this.#declared);
    if (this.#type.encoding !== null) this.#text = new PlainText(this.#type.encoding);
    return this.#checked(head);
  }

  #checked(chunk: Uint8Array): Uint8Array {
    checkText(() => this.#text?.add(chunk));
    return chunk;
  }
}

/** What began as text must be text to its end. */
function checkText(check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof NotTextError)) throw error;
    throw unsupported(`The file begins as text, but ${error.message}.`, error);
  }
}
