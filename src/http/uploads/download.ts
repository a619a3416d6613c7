import { once } from 'node:events';
import type { Request, Response } from 'express';
import { asChatError } from '../../application/chatErrors.ts';
import { ConcurrencyLimit } from '../../application/concurrencyLimit.ts';
import { viewConversation } from '../../application/reading/viewConversation.ts';
import { ChatError } from '../../contracts/errors.ts';
import { ReadUploadQuery, UploadPath } from '../../contracts/http/requests.ts';
import type { ByteRange, FoundUpload, UploadFacts } from '../../ports/attachmentStore.ts';
import type { Handler } from '../answer/resource.ts';
import type { HttpDeps } from '../deps.ts';
import { readQuery } from '../request/query.ts';
import { check } from '../request/validate.ts';
import { namesEntity, parseRange } from './byteRange.ts';
import { isTextType } from './textTypes.ts';
import { contentDisposition } from './uploadName.ts';

/** Downloads at a time. Each holds up to three chunks of 128 KiB and what waits for its socket. */
export const DOWNLOADS_PARALLEL_MAX = 256;

/** How long a client may take nothing before it is cut off, in milliseconds. */
const STALL_MS_MAX = 30_000;

/** The bytes of an upload, whole or a range, for everybody who may see its conversation. */
export function download(deps: HttpDeps, parallelMax: number): Handler {
  const overloaded = `${parallelMax} downloads are under way here already.`;
  const limit = new ConcurrencyLimit({ activeMax: parallelMax, queuedMax: 0, overloaded });
  return (req, res) => {
    const { uploadId } = check(UploadPath, req.params);
    const { userId } = readQuery(req, ReadUploadQuery);
    return limit.run(async () => send(req, res, await visibleUpload(deps, uploadId, userId ?? null)));
  };
}

/** What is hidden answers as what is missing. */
async function visibleUpload(
  { application }: HttpDeps,
  uploadId: string,
  userId: string | null,
): Promise<FoundUpload> {
  const missing = new ChatError('not_found', 'There is no such upload, or it is not open to this user.');
  const found = await application.attachments.find(uploadId);
  if (found === null) throw missing;
  await viewConversation(application, found.facts.conversationId, userId).catch((error: unknown) => {
    throw error instanceof ChatError && error.code === 'not_found' ? missing : error;
  });
  return found;
}

async function send(req: Request, res: Response, upload: FoundUpload): Promise<void> {
  const { facts } = upload;
  const etag = `"${facts.sha256}"`;
  res.set(headersOf(facts, etag));
  if (namesEntity(req.get('If-None-Match'), etag)) {
    res.status(304).end();
    return;
  }
  const range = rangeOf(req, facts, etag);
  if (range === 'unsatisfiable') {
    res.set('Content-Range', `bytes */${facts.bytes}`).removeHeader('Content-Disposition');
    throw new ChatError('range_not_satisfiable', `The upload has ${facts.bytes} bytes.`);
  }
  const { first, last } = range ?? { first: 0, last: facts.bytes - 1 };
  const whole = { 'Content-Type': typeOf(facts), 'Content-Length': String(last - first + 1) };
  if (req.method === 'HEAD') {
    res.set(whole).end();
    return;
  }
  await sendBytes(res, upload.read({ first, last }), () => {
    if (range !== null) res.status(206).set('Content-Range', `bytes ${first}-${last}/${facts.bytes}`);
    res.set(whole);
  });
}

/**
 * Whatever an upload turns out to be in some browser's eyes: it is saved, not shown; what is shown nevertheless can run nothing
 * and reach nothing. `no-transform`, because compressing would change the bytes that ranges count.
 */
function headersOf({ name }: UploadFacts, etag: string): Record<string, string> {
  return {
    ETag: etag,
    'Accept-Ranges': 'bytes',
    'Cache-Control': 'private, no-cache, no-transform',
    'Content-Disposition': contentDisposition(name),
    'Content-Security-Policy': "sandbox; default-src 'none'",
    'Cross-Origin-Resource-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
  };
}

function typeOf({ mediaType, charset = 'utf-8' }: UploadFacts): string {
  return isTextType(mediaType) ? `${mediaType}; charset=${charset}` : mediaType;
}

/** A range of another version of the entity would be mixed with what the client has. Source: RFC 9110, section 13.1.5. */
function rangeOf(req: Request, { bytes }: UploadFacts, etag: string): ByteRange | 'unsatisfiable' | null {
  const condition = req.get('If-Range');
  if (req.method === 'HEAD' || (condition !== undefined && condition !== etag)) return null;
  return parseRange(req.get('Range'), bytes);
}

/**
 * Sends as fast as the client takes it. The first part is read before the answer begins, so that a store that is away gives
 * a status; what fails later breaks the connection, which nobody takes for the end.
 */
async function sendBytes(
  res: Response,
  parts: AsyncGenerator<Uint8Array, void>,
  begin: () => void,
): Promise<void> {
  try {
    let part = await parts.next().catch((cause) => {
      throw asChatError(cause);
    });
    begin();
    for (; part.done !== true; part = await parts.next()) {
      if (res.destroyed) return;
      if (!res.write(part.value)) await drained(res);
    }
    res.end();
  } finally {
    await parts.return();
  }
}

async function drained(res: Response): Promise<void> {
  const deadline = AbortSignal.timeout(STALL_MS_MAX);
  const gone = new AbortController();
  const onClose = () => gone.abort();
  res.once('close', onClose);
  try {
    await once(res, 'drain', { signal: AbortSignal.any([deadline, gone.signal]) });
  } catch {
    res.destroy();
  } finally {
    res.off('close', onClose);
  }
}
