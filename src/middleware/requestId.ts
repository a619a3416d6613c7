import { randomUUID } from 'node:crypto';
import type { RequestHandler, Response } from 'express';

export const REQUEST_ID_HEADER = 'X-Request-Id';

/** What a gateway may send: long enough to tell requests apart, and harmless in a log line. */
const SANE = /^[A-Za-z0-9._:-]{1,128}$/;

/** The name of a request: the gateway's, if it sent a sane one, else a new one. */
export function requestIdFrom(given: string | undefined): string {
  return given !== undefined && SANE.test(given) ? given : randomUUID();
}

/** Gives every request a name, answered as `X-Request-Id`. */
export const requestId: RequestHandler = (req, res, next) => {
  res.setHeader(REQUEST_ID_HEADER, requestIdFrom(req.get(REQUEST_ID_HEADER)));
  next();
};

/** The name of the request that is being answered. */
export function requestIdOf(res: Response): string {
  return res.get(REQUEST_ID_HEADER) ?? 'unknown';
}
