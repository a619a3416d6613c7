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
 * What the answers of the edge have in common with those of the API: headers for browsers, the request's id, and who may use
 * them from a page. A request of uWebSockets.js is gone after the call that brought it: these are asked for at once.
 */
export class AnswerHeaders {
  readonly #allowed: AllowedOrigins | undefined;
  readonly #fixed: HeaderList;

  constructor(options: AnswerHeadersOptions = {}) {
    this.#allowed = options.allowedOrigins;
    this.#fixed = [...securityHeaders(options), ['Cache-Control', 'no-store']];
  }

  /** The headers of an answer that pages of other origins have no business with. */
  of(request: HttpRequest): HeaderList {
    return [this.requestId(request), ...this.#fixed];
  }

  /** The same, and what lets allowed pages read the answer. */
  readableOf(request: HttpRequest): HeaderList {
    return [...this.of(request), ...this.#cors(request.getHeader('origin'))];
  }

  /** The headers of the answer to a preflight; null when the request is none, or nobody's pages are allowed. */
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
    // Who is not allowed is not answered with data; who is no browser does not look.
    if (!allowed.includes(origin)) return [vary];
    return [['Access-Control-Allow-Origin', origin], EXPOSED, vary];
  }
}

const EXPOSED = ['Access-Control-Expose-Headers', CORS.answerHeaders.join(', ')] as const;
