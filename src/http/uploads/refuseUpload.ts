import type { Request, Response } from 'express';
import { noteFault } from '../../middleware/fault.ts';
import { problemText } from '../answer/problem.ts';

/**
 * What is read and thrown away of an upload after it was refused, before the connection is closed: many clients look for an
 * answer only after they have sent all they have, and a connection that is closed at once takes the answer with it.
 */
const DISCARDED_BYTES_MAX = 16 * 1_024 ** 2;
const DISCARDING_MS_MAX = 2_000;

/** Answers an upload that is still coming, at once, and closes the connection soon after. */
export async function refuseUpload(req: Request, res: Response, error: unknown): Promise<void> {
  noteFault(res, error);
  req.unpipe();
  res.set('Connection', 'close');
  const text = problemText(res, error);
  res.set('Content-Length', String(Buffer.byteLength(text)));
  res.write(text);
  await discard(req);
  res.end();
}

function discard(req: Request): Promise<void> {
  return new Promise((resolve) => {
    if (req.complete || req.destroyed) return resolve();
    let bytes = 0;
    const end = () => {
      clearTimeout(timer);
      req.off('data', onData).off('end', end).off('close', end);
      resolve();
    };
    const onData = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > DISCARDED_BYTES_MAX) end();
    };
    const timer = setTimeout(end, DISCARDING_MS_MAX);
    req.on('data', onData).once('end', end).once('close', end);
    req.resume();
  });
}
