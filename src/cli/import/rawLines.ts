import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';

/** A file cannot be imported; the message names the file, the line and what is wrong with it. */
export class ImportFileError extends Error {
  override readonly name = 'ImportFileError';
}

/** One line of a file, as it is there. */
export interface RawLine {
  /** From 1 on; empty lines count. */
  readonly number: number;
  /** Without its line feed; only the beginning of a line that is too long. */
  readonly bytes: Buffer;
  readonly isTooLong: boolean;
  /** How much of the file has been read, 0 to 1. */
  readonly fraction: number;
}

/** A message of 8,000 characters has a twentieth of it, however it is escaped. */
export const LINE_BYTES_MAX = 1_048_576;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const UTF8_BOM = Buffer.from([0xef, 0xbb, 0xbf]);
const UTF16_BOMS = [Buffer.from([0xff, 0xfe]), Buffer.from([0xfe, 0xff])];

/**
 * The lines of a file, decompressed when its name ends in `.gz`, without a byte order mark. Only a line feed ends a line: other
 * separators of Unicode are part of what people wrote.
 *
 * @throws ImportFileError when the file cannot be read, or is UTF-16
 */
export async function* readRawLines(file: string): AsyncGenerator<RawLine, void, undefined> {
  const size = await sizeOf(file);
  const raw = createReadStream(file);
  const input = file.endsWith('.gz') ? raw.pipe(createGunzip()) : raw;
  // `pipe` passes no errors on: without this a truncated archive would end the process.
  raw.on('error', (error) => input.destroy(error));
  const splitter = new LineSplitter();
  let number = 0;
  const numbered = ({ bytes, isTooLong }: Line): RawLine => {
    number += 1;
    const text = number === 1 ? withoutMark(file, bytes) : bytes;
    return { number, bytes: text, isTooLong, fraction: Math.min(1, raw.bytesRead / size) };
  };
  try {
    for await (const chunk of input) for (const line of splitter.take(chunk)) yield numbered(line);
    for (const line of splitter.end()) yield numbered(line);
  } catch (cause) {
    if (cause instanceof ImportFileError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ImportFileError(`${file} cannot be read after line ${number}: ${reason}`, { cause });
  } finally {
    raw.destroy();
  }
}

async function sizeOf(file: string): Promise<number> {
  try {
    return Math.max(1, (await stat(file)).size);
  } catch (cause) {
    throw new ImportFileError(`${file} cannot be read: there is no such file.`, { cause });
  }
}

function withoutMark(file: string, bytes: Buffer): Buffer {
  if (UTF16_BOMS.some((mark) => bytes.subarray(0, 2).equals(mark))) {
    throw new ImportFileError(
      `${file} is UTF-16, and UTF-8 is expected. Convert it: iconv -f UTF-16 -t UTF-8 ${file} > utf8.jsonl`,
    );
  }
  return bytes.subarray(0, 3).equals(UTF8_BOM) ? bytes.subarray(3) : bytes;
}

interface Line {
  readonly bytes: Buffer;
  readonly isTooLong: boolean;
}

/** Cuts bytes into lines; holds one line at most, and of that no more than {@link LINE_BYTES_MAX}. */
class LineSplitter {
  #pieces: Buffer[] = [];
  #length = 0;

  *take(chunk: Buffer): Generator<Line, void, undefined> {
    let from = 0;
    for (let at = chunk.indexOf(LINE_FEED); at !== -1; at = chunk.indexOf(LINE_FEED, from)) {
      this.#hold(chunk.subarray(from, at));
      yield this.#line();
      from = at + 1;
    }
    this.#hold(chunk.subarray(from));
  }

  /** What came after the last line feed. */
  *end(): Generator<Line, void, undefined> {
    if (this.#length > 0) yield this.#line();
  }

  #hold(piece: Buffer): void {
    const room = LINE_BYTES_MAX - this.#length;
    if (room > 0 && piece.length > 0) this.#pieces.push(piece.subarray(0, room));
    this.#length += piece.length;
  }

  #line(): Line {
    const isTooLong = this.#length > LINE_BYTES_MAX;
    const [only] = this.#pieces;
    const bytes = this.#pieces.length === 1 && only !== undefined ? only : Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#length = 0;
    return { bytes: bytes.at(-1) === CARRIAGE_RETURN ? bytes.subarray(0, -1) : bytes, isTooLong };
  }
}
