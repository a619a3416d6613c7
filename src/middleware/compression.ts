import { constants } from 'node:zlib';
import compression from 'compression';
import type { RequestHandler } from 'express';

/** Below this a packet holds the answer either way, in bytes. */
const WORTHWHILE_BYTES = 1_024;

/**
 * The fastest: on a page of 50 messages it gives 4.2 : 1 in 110 µs, the usual level 6 4.3 : 1 in 160, and on 200 messages
 * 4.5 : 1 in 230 against 4.8 : 1 in 630. Brotli at its fastest does the same in less time. ADR 26 has the table.
 */
const GZIP_LEVEL = 1;
const BROTLI_QUALITY = 1;

/** Streams are written as things happen; parts of a file are parts of the file as it is. */
const AS_IT_IS = /^text\/event-stream\b/i;

/** Compresses answers for clients that ask for it, in the process's thread pool. */
export function compressed(): RequestHandler {
  const compress = compression({
    threshold: WORTHWHILE_BYTES,
    level: GZIP_LEVEL,
    brotli: { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } },
    filter: (req, res) => {
      const type = String(res.getHeader('Content-Type') ?? '');
      if (AS_IT_IS.test(type) || res.hasHeader('Content-Range') || res.hasHeader('Accept-Ranges'))
        return false;
      return compression.filter(req, res);
    },
  });
  return (req, res, next) => {
    // A request that does not ask for it is spared what the middleware wraps around the answer.
    if (req.headers['accept-encoding'] === undefined) next();
    else compress(req, res, next);
  };
}
