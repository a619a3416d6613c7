import type { Readable } from 'node:stream';
import busboy from 'busboy';
import type { Request } from 'express';
import { ChatError } from '../../contracts/errors.ts';
import { invalid } from '../request/validate.ts';
import { ClientGoneError } from './uploadPace.ts';

/** What a form may have beside the bytes of its file: part headers, fields, boundaries. */
export const FORM_OVERHEAD_BYTES_MAX = 64 * 1_024;

/** Longer than any value that is valid. */
const FIELD_BYTES_MAX = 1_024;
const FIELDS = ['conversationId', 'userId'];
const FILE = 'file';

export interface FormFile {
  /** As the client sent it; undefined when it sent none. */
  readonly name: string | undefined;
  readonly declaredType: string;
  /** To be read to its end, at whatever pace: what is not read is not taken from the client either. */
  readonly bytes: Readable;
}

export type FormFields = ReadonlyMap<string, string>;

export interface FormReading {
  /** Aborted when nothing more of the form is wanted; its reason is what the reading rejects with. */
  readonly signal: AbortSignal;
  /** Called once, with the fields that came before the file. */
  readonly onFile: (file: FormFile, before: FormFields) => Promise<void>;
}

/**
 * Reads a form of exactly one file and at most the fields that are known, parts in any order. Nothing but what stands in the
 * pipes is held in memory, and nothing goes to disk.
 *
 * @throws ChatError, and what `onFile` throws
 */
export function readUploadForm(req: Request, reading: FormReading): Promise<FormFields> {
  const form = openForm(req);
  return new Promise((resolve, reject) => {
    const fields = new Map<string, string>();
    let taken: Promise<void> | null = null;
    const fail = (error: unknown) => {
      req.unpipe(form);
      form.destroy(error instanceof Error ? error : undefined);
      reject(error);
    };
    form.on('file', (name, bytes, { filename, mimeType }) => {
      // The form reports what is wrong with it. Without a listener here, this would end the process.
      bytes.on('error', () => {});
      if (name !== FILE) return fail(invalid([{ path: name ?? '', reason: 'must not be a file' }]));
      taken = reading.onFile({ name: filename, declaredType: mimeType, bytes }, fields);
      taken.catch((error) => fail(error === form.errored ? asFormError(error) : error));
    });
    form.on('field', (name, value, { nameTruncated, valueTruncated }) => {
      const wrong = nameTruncated ? 'is not known' : objection(name, fields, valueTruncated);
      if (wrong !== null) fail(invalid([{ path: name ?? '', reason: wrong }]));
      else fields.set(name, value);
    });
    const tooMuch = () =>
      fail(invalid([{ path: '', reason: 'must be one file and nothing but known fields' }]));
    form.on('filesLimit', tooMuch).on('fieldsLimit', tooMuch).on('partsLimit', tooMuch);
    form.on('error', (cause) => fail(asFormError(cause)));
    form.on('close', () => {
      if (taken === null) fail(invalid([{ path: FILE, reason: 'is missing: exactly one file is expected' }]));
      else taken.then(() => resolve(fields), reject);
    });
    reading.signal.addEventListener('abort', () => fail(reading.signal.reason), { once: true });
    req.pipe(form);
  });
}

function openForm(req: Request): busboy.Busboy {
  if (!/^multipart\/form-data\s*(;|$)/i.test(req.get('Content-Type') ?? '')) {
    throw new ChatError('unsupported_media_type', 'The body must be multipart/form-data with one file.');
  }
  if ((req.get('Content-Encoding') ?? 'identity') !== 'identity') {
    throw new ChatError('unsupported_media_type', 'The body must not be compressed.');
  }
  try {
    const limits = { files: 1, fields: FIELDS.length, parts: 8, fieldSize: FIELD_BYTES_MAX, headerPairs: 16 };
    return busboy({ headers: req.headers, limits, defParamCharset: 'utf8' });
  } catch (cause) {
    throw malformed(cause);
  }
}

function objection(name: string | undefined, fields: FormFields, truncated: boolean): string | null {
  if (name === FILE) return 'must be a file, with a filename';
  if (name === undefined || !FIELDS.includes(name)) return 'is not known';
  if (fields.has(name)) return 'must be given once';
  return truncated ? `must have less than ${FIELD_BYTES_MAX} bytes` : null;
}

/** What a form was ended with comes back as its own error. */
function asFormError(cause: unknown): unknown {
  return cause instanceof ChatError || cause instanceof ClientGoneError ? cause : malformed(cause);
}

function malformed(cause: unknown): ChatError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ChatError('invalid_request', `The form cannot be read: ${reason}.`, { cause });
}
