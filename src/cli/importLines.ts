import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { z } from 'zod';
import { AttachmentIds, Title, UserId, Words } from '../contracts/ids.ts';

/** One line of a file to be imported. */
const ImportLine = z
  .object({
    room: Title,
    at: z.iso.datetime(),
    user: UserId,
    text: Words.default(''),
    attachments: AttachmentIds.default([]),
  })
  .refine(({ text, attachments }) => text !== '' || attachments.length > 0, {
    path: ['text'],
    error: 'must not be empty in a line without attachments',
  });
export type ImportLine = z.infer<typeof ImportLine>;

/** A file cannot be imported; the message names the file, the line and what is wrong with it. */
export class ImportFileError extends Error {
  override readonly name = 'ImportFileError';
}

export interface NumberedLine {
  readonly line: ImportLine;
  /** How much of the file has been read, 0 to 1. */
  readonly fraction: number;
}

/**
 * Reads JSON lines `{"room","at","user","text","attachments"}`, compressed when the name ends in `.gz`. Empty lines are passed over.
 *
 * @throws ImportFileError
 */
export async function* readImportLines(file: string): AsyncGenerator<NumberedLine, void, undefined> {
  const size = await sizeOf(file);
  const raw = createReadStream(file);
  const input = file.endsWith('.gz') ? raw.pipe(createGunzip()) : raw;
  // `pipe` passes no errors on: without this a truncated archive would end the process.
  raw.on('error', (error) => input.destroy(error));
  let number = 0;
  try {
    for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      number += 1;
      if (text.trim() !== '') yield { line: parseLine(file, number, text), fraction: raw.bytesRead / size };
    }
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

function parseLine(file: string, number: number, text: string): ImportLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ImportFileError(`${file}, line ${number} is not JSON. Mend or remove it and import again.`, {
      cause,
    });
  }
  const parsed = ImportLine.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const what = `${issue?.path.join('.') || 'the line'}: ${issue?.message ?? 'invalid'}`;
  throw new ImportFileError(`${file}, line ${number}: ${what}. Mend or remove it and import again.`);
}
