/** How the text of a file is encoded. UTF-16 is known by its byte order mark alone. */
export type TextEncoding = 'utf-8' | 'utf-16le' | 'utf-16be';

/** A file is not text, or not to its end; the message says why. */
export class NotTextError extends Error {
  override readonly name = 'NotTextError';
}

/** Control characters that text does not have: all but tab, line feed, form feed and carriage return. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROL = /[\0-\x08\x0b\x0e-\x1f\x7f-\x9f]/;

/** The encoding that a file names by its first bytes; UTF-8 when it names none. */
export function encodingOf(head: Uint8Array): TextEncoding {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  return head[0] === 0xfe && head[1] === 0xff ? 'utf-16be' : 'utf-8';
}

/** Checks that what passes is text of one encoding, without control characters. */
export class PlainText {
  readonly #encoding: TextEncoding;
  readonly #decoder: InstanceType<typeof TextDecoder>;
  /** The first half of a surrogate pair, when what came ends with it. */
  #half = '';

  constructor(encoding: TextEncoding) {
    this.#encoding = encoding;
    this.#decoder = new TextDecoder(encoding, { fatal: true });
  }

  /** @throws NotTextError */
  add(bytes: Uint8Array): void {
    const text = this.#half + this.#decoded(() => this.#decoder.decode(bytes, { stream: true }));
    this.#half = /[\ud800-\udbff]$/.exec(text)?.[0] ?? '';
    this.#check(text.slice(0, text.length - this.#half.length));
  }

  /** @throws NotTextError when it ended within a character */
  end(): void {
    this.#check(this.#half + this.#decoded(() => this.#decoder.decode()));
  }

  #decoded(decode: () => string): string {
    try {
      return decode();
    } catch (cause) {
      throw this.#malformed(cause);
    }
  }

  #check(text: string): void {
    // The decoder of UTF-16 lets halves of surrogate pairs pass.
    if (!text.isWellFormed()) throw this.#malformed();
    const control = CONTROL.exec(text)?.[0].charCodeAt(0);
    if (control === undefined) return;
    throw new NotTextError(`it has the control character U+${control.toString(16).padStart(4, '0')}`);
  }

  #malformed(cause?: unknown): NotTextError {
    return new NotTextError(`it is not text in ${this.#encoding.toUpperCase()}`, { cause });
  }
}

/** Whether the beginning of a file is that of a text. What follows is to be checked with {@link PlainText}. */
export function beginsAsText(head: Uint8Array): boolean {
  try {
    new PlainText(encodingOf(head)).add(head);
    return true;
  } catch {
    return false;
  }
}
