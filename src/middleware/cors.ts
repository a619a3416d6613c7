import cors from 'cors';
import type { RequestHandler } from 'express';
import type { AllowedOrigins } from './origins.ts';

/** How long a browser may keep the answer to a preflight; longer than two hours none does, in seconds. */
const PREFLIGHT_SECONDS = 7_200;

/** What pages of other origins may send and read. The edge answers preflights by hand, from the same lists. */
export const CORS = {
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
  requestHeaders: [
    ...['Content-Type', 'If-None-Match', 'Last-Event-ID', 'Prefer'],
    ...['Idempotency-Key', 'X-Request-Id', 'X-User-Id'],
  ],
  answerHeaders: [
    ...['Content-Disposition', 'ETag', 'Location', 'Preference-Applied', 'Retry-After', 'X-Request-Id'],
  ],
  preflightSeconds: PREFLIGHT_SECONDS,
} as const;

/**
 * Tells browsers which pages of other origins may use the API. No credentials: users are named, not logged in.
 *
 * An `OPTIONS` that is no preflight goes on to the routes.
 */
export function corsHeaders(allowed: AllowedOrigins): RequestHandler {
  const middleware = cors({
    origin: allowed === '*' ? '*' : [...allowed],
    methods: [...CORS.methods],
    allowedHeaders: [...CORS.requestHeaders],
    exposedHeaders: [...CORS.answerHeaders],
    maxAge: CORS.preflightSeconds,
    credentials: false,
    optionsSuccessStatus: 204,
  });
  return (req, res, next) => {
    const preflight = req.get('Access-Control-Request-Method') !== undefined;
    if (req.method === 'OPTIONS' && !preflight) next();
    else middleware(req, res, next);
  };
}
