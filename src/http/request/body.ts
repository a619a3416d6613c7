import { isUtf8 } from 'node:buffer';
import type { Request } from 'express';
import type { z } from 'zod';
import { doubledKey } from '../../contracts/doubledKeys.ts';
import { ChatError } from '../../contracts/errors.ts';
import { EmptyQuery } from '../../contracts/http/requests.ts';
import { withUser } from './identity.ts';
import { queryFields } from './query.ts';
import { check, invalid } from './validate.ts';

/** The longest body that is taken. The longest message, escaped at its longest, has a tenth of it. */
export const BODY_BYTES_MAX = 1_048_576;

/**
 * What is read and thrown away of a body that is too long before the connection is closed: most clients look for an
 * answer only after they have sent all they have.
 */
const DISCARDED_BYTES_MAX = 8 * BODY_BYTES_MAX;

/** How long a client may take to send a body unless the app says otherwise, in milliseconds. */
const BODY_MS_MAX = 30_000;

/** The app's setting with the time in milliseconds. */
export const BODY_MS_SETTING = 'body ms max';

const JSON_TYPE = /^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i;

/**
 * The body of a request, checked, with the user that the header names. The call takes no query.
 *
 * @throws ChatError invalid_request, payload_too_large or unsupported_media_type
 */
export function readBody<S extends z.ZodType>(req: Request, schema: S): Promise<z.output<S>> {
  check(EmptyQuery, queryFields(req));
  return readBodyBesideQuery(req, schema);
}

/** The same, for calls whose query is read by itself. */
export async function readBodyBesideQuery<S extends z.ZodType>(
  req: Request,
  schema: S,
): Promise<z.output<S>> {
  const bytes = await readBytes(req);
  if (bytes.length === 0)
    throw new ChatError('invalid_request', 'The request has no body: JSON is expected.');
  requireJson(req);
  return check(schema, withUser(req, parseJson(bytes)));
}

function requireJson(req: Request): void {
  const type = req.get('Content-Type') ?? '';
  if (!JSON_TYPE.test(type)) {
    throw new ChatError('unsupported_media_type', 'The body must be application/json in UTF-8.');
  }
  if ((req.get('Content-Encoding') ?? 'identity') !== 'identity') {
    throw new ChatError('unsupported_media_type', 'The body must not be compressed.');
  }
}

function parseJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new ChatError('invalid_request', 'The body is not UTF-8.');
  const text = bytes.toString('utf8');
  const value = parsed(text);
  // Which of two would count is anybody's guess: none does.
  const doubled = doubledKey(text, value);
  if (doubled !== null) throw invalid([{ path: doubled, reason: 'must be given once' }]);
  return value;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ChatError('invalid_request', 'The body is not JSON.', { cause });
  }
}

async function readBytes(req: Request): Promise<Buffer> {
  const { chunks, length } = await collect(req);
  if (length > BODY_BYTES_MAX) throw tooLarge(req);
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
}

/**
 * Reads to the end, or until there is more than is worth throwing away. By events, because an iterator over the request
 * costs as much as all else that is done with a short body. Giving up must not destroy the connection: there is an
 * answer to be sent on it.
 */
function collect(req: Request): Promise<{ chunks: Buffer[]; length: number }> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const finish = () => {
      clearTimeout(deadline);
      resolve({ chunks, length });
    };
    const fail = (error: ChatError) => {
      clearTimeout(deadline);
      reject(error);
    };
    const giveUp = (end: () => void) => {
      req.off('data', take).pause();
      end();
    };
    const take = (chunk: Buffer) => {
      length += chunk.length;
      if (length <= BODY_BYTES_MAX) chunks.push(chunk);
      else chunks.length = 0;
      if (length > DISCARDED_BYTES_MAX) giveUp(finish);
    };
    const lost = (cause?: Error) =>
      fail(new ChatError('invalid_request', 'The request ended before its body did.', { cause }));
    const closed = () => {
      if (!req.readableEnded) lost();
    };
    const msMax = Number(req.app.get(BODY_MS_SETTING) ?? BODY_MS_MAX);
    const deadline = setTimeout(() => giveUp(() => fail(tooSlow(req, msMax))), msMax);
    if (req.destroyed) return lost();
    req.on('data', take).once('end', finish).once('error', lost).once('close', closed);
  });
}

function tooSlow(req: Request, msMax: number): ChatError {
  req.res?.set('Connection', 'close');
  return new ChatError('request_timeout', `The body did not come within ${msMax} ms.`);
}

function tooLarge(req: Request): ChatError {
  // What is left of the body would be taken for the next request otherwise.
  if (!req.complete) req.res?.set('Connection', 'close');
  return new ChatError('payload_too_large', `The body has more than ${BODY_BYTES_MAX} bytes.`);
}
