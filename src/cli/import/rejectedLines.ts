import { isUtf8 } from 'node:buffer';
import { type FileHandle, open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ImportFileError, type RawLine } from './rawLines.ts';

/** What is collected before it is written, in characters. */
const BATCH_LENGTH = 65_536;

/**
 * The lines that an import leaves out, in a file beside it: one JSON object a line, `{"line","fault","text"}`, with `base64` in
 * place of `text` for what is not UTF-8. There is no file while nothing is left out.
 */
export class RejectedLines {
  readonly path: string;
  #file: FileHandle | null = null;
  #unwritten = '';

  /** @throws ImportFileError when the report would replace what is imported */
  constructor(path: string, imported: string) {
    if (resolve(path) === resolve(imported))
      throw new ImportFileError(`${path} is the file to import. Name another one for the report.`);
    this.path = path;
  }

  /** @throws ImportFileError when the report cannot be written */
  async add({ number: line, bytes }: RawLine, fault: string): Promise<void> {
    const original = isUtf8(bytes) ? { text: bytes.toString('utf8') } : { base64: bytes.toString('base64') };
    this.#unwritten += `${JSON.stringify({ line, fault, ...original })}\n`;
    if (this.#unwritten.length > BATCH_LENGTH) await this.#write();
  }

  /** @throws ImportFileError when the report cannot be written */
  async close(): Promise<void> {
    try {
      if (this.#unwritten !== '') await this.#write();
    } finally {
      await this.#file?.close();
      this.#file = null;
    }
  }

  async #write(): Promise<void> {
    const text = this.#unwritten;
    this.#unwritten = '';
    try {
      this.#file ??= await open(this.path, 'w');
      await this.#file.writeFile(text);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const advice = 'Name another file with --report.';
      throw new ImportFileError(`${this.path} cannot be written: ${reason}. ${advice}`, { cause });
    }
  }
}
