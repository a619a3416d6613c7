import { randomUUID } from 'node:crypto';
import type { RequestHandler, Response } from 'express';

const HEADER = 'X-Request-Id';

/** What a gateway may send: long enough to tell requests apart, and harmless in a log line. */
const SANE = /^[A-Za-z0-9._:-]{1,128}$/;

/** Gives every request a name: the gateway's, if it sent a sane one, else a new one. Answered as `X-Request-Id`. */
export const requestId: RequestHandler = (req, res, next) => {
  const given = req.get(HEADER);
  res.set(HEADER, given !== undefined && SANE.test(given) ? given : randomUUID());
  next();
};

/** The name of the request that is being answered. */
export function requestIdOf(res: Response): string {
  return res.get(HEADER) ?? 'unknown';
}
