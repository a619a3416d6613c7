import type { RequestHandler } from 'express';
import { ChatError } from '../contracts/errors.ts';
import { type AllowedOrigins, allowsOrigin } from './origins.ts';

const READING: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses what pages of origins that are not listed want to change. Browsers send forms, and `fetch` of what forms send, without
 * asking before: CORS only keeps the answer from such a page. The pages that are served here (`/docs`) may.
 */
export function refuseForeignPages(allowed: AllowedOrigins): RequestHandler {
  return (req, res, next) => {
    const { origin = '', host } = req.headers;
    if (READING.has(req.method) || allowsOrigin(allowed, origin) || isOwn(origin, host)) return next();
    // What is left of its body is not worth reading.
    res.set('Connection', 'close');
    throw new ChatError(
      'forbidden',
      'Pages of this origin may change nothing here: CORS_ORIGINS lists who may.',
    );
  };
}

/** By the host alone: behind a gateway, only that knows whether it was http or https. */
function isOwn(origin: string, host: string | undefined): boolean {
  return host !== undefined && /^https?:\/\/(.*)$/.exec(origin)?.[1] === host.toLowerCase();
}
