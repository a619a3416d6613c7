import type { HttpRequest } from 'uWebSockets.js';
import { CORS } from '../../middleware/cors.ts';
import type { AllowedOrigins } from '../../middleware/origins.ts';
import { REQUEST_ID_HEADER, requestIdFrom } from '../../middleware/requestId.ts';
import { type HeaderList, securityHeaders } from '../../middleware/securityHeaders.ts';

export interface AnswerHeadersOptions {
  /** Whose pages may read answers. Default: none beyond the edge's own. */
  readonly allowedOrigins?: AllowedOrigins | undefined;
  /** See {@link securityHeaders}. */
  readonly hstsSeconds?: number | undefined;
}

/**
 * Headers that answers of the edge share with those of the API: security headers, the request's id, and CORS. A request of
 * uWebSockets.js is gone after the call that brought it: these are asked for at once.
 */
export class AnswerHeaders {
  readonly #allowed: AllowedOrigins | undefined;
  readonly #fixed: HeaderList;

  constructor(options: AnswerHeadersOptions = {}) {
    this.#allowed = options.allowedOrigins;
    this.#fixed = [...securityHeaders(options), ['Cache-Control', 'no-store']];
  }

  /** Headers of an answer that pages of other origins may not read. */
  of(request: HttpRequest): HeaderList {
    return [this.requestId(request), ...this.#fixed];
  }

  /** The same, with CORS headers by which allowed pages read the answer. */
  readableOf(request: HttpRequest): HeaderList {
    return [...this.of(request), ...this.#cors(request.getHeader('origin'))];
  }

  /** Headers of the answer to a preflight; null when the request is none, or no page is allowed. */
  preflightOf(request: HttpRequest): HeaderList | null {
    const preflight =
      request.getMethod() === 'options' && request.getHeader('access-control-request-method') !== '';
    if (!preflight || this.#allowed === undefined) return null;
    return [
      ...this.readableOf(request),
      ['Access-Control-Allow-Methods', 'GET, POST'],
      ['Access-Control-Allow-Headers', CORS.requestHeaders.join(', ')],
      ['Access-Control-Max-Age', String(CORS.preflightSeconds)],
    ];
  }

  requestId(request: HttpRequest): readonly [string, string] {
    return [REQUEST_ID_HEADER, requestIdFrom(request.getHeader('x-request-id'))];
  }

  #cors(origin: string): HeaderList {
    const allowed = this.#allowed;
    if (allowed === undefined) return [];
    if (allowed === '*') return [['Access-Control-Allow-Origin', '*'], EXPOSED];
    const vary = ['Vary', 'Origin'] as const;
    // The gate refuses foreign pages; clients that are no browser ignore CORS.
    if (!allowed.includes(origin)) return [vary];
    return [['Access-Control-Allow-Origin', origin], EXPOSED, vary];
  }
}

const EXPOSED = ['Access-Control-Expose-Headers', CORS.answerHeaders.join(', ')] as const;
