import type { RequestHandler, Router } from 'express';
import { ChatError } from '../contracts/errors.ts';
import { compressed } from './compression.ts';
import { corsHeaders } from './cors.ts';
import { refuseForeignPages } from './foreignPages.ts';
import type { AllowedOrigins } from './origins.ts';
import { securityHeaders } from './securityHeaders.ts';

export interface StandardHeadersOptions {
  /** Whose pages may use the API from a browser. Default: those of its own origin only. */
  readonly allowedOrigins?: AllowedOrigins | undefined;
  /** See {@link securityHeaders}. */
  readonly hstsSeconds?: number | undefined;
  /** How long a client may take to send a JSON body, in milliseconds. Default 30,000. */
  readonly bodyMsMax?: number;
}

/** As many as a browser behind several proxies sends, several times over. */
const HEADERS_MAX = 100;

/**
 * What surrounds every answer: headers for browsers and caches, compression, and the refusal of what no honest client
 * sends. Whatever a route sets itself replaces what is set here.
 */
export function standardHeaders(router: Pick<Router, 'use'>, options: StandardHeadersOptions = {}): void {
  router.use(answerHeaders(options));
  if (options.allowedOrigins !== undefined) {
    router.use(corsHeaders(options.allowedOrigins), refuseForeignPages(options.allowedOrigins));
  }
  router.use(wellFormed, compressed());
}

function answerHeaders(options: StandardHeadersOptions): RequestHandler {
  // Every body may come compressed, whether or not this one does; nothing is kept unless its route says so.
  const caching = { 'Cache-Control': 'no-store', Vary: 'Accept-Encoding' };
  const headers = [...securityHeaders(options), ...Object.entries(caching)];
  return (_req, res, next) => {
    for (const [name, value] of headers) res.setHeader(name, value);
    next();
  };
}

/** Node takes requests that HTTP/1.1 forbids, and those whose meaning others on the way may see differently. */
const wellFormed: RequestHandler = ({ rawHeaders, httpVersionMinor }, res, next) => {
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  if (rawHeaders.length > 2 * HEADERS_MAX) {
    throw new ChatError('payload_too_large', `The request has more than ${HEADERS_MAX} headers.`);
  }
  if (hosts > 1 || (hosts === 0 && httpVersionMinor > 0)) {
    // Two hosts are two requests, to somebody on the way: nothing more is read from this connection.
    res.setHeader('Connection', 'close');
    throw new ChatError('invalid_request', 'A request of HTTP/1.1 has exactly one Host header.');
  }
  next();
};
