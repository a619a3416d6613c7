import type { HttpResponse } from 'uWebSockets.js';
import { STATUS_CODES } from 'node:http';

export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly retryAfterMs?: number;
}

/** Answers a request to the edge that goes no further, as problem+json. */
export function refuse(response: HttpResponse, { status, code, detail, retryAfterMs }: Refusal): void {
  const title = STATUS_CODES[status] ?? 'Error';
  const retry = retryAfterMs === undefined ? {} : { retryable: true, retryAfterMs };
  response.cork(() => {
    response.writeStatus(`${status} ${title}`).writeHeader('Content-Type', 'application/problem+json');
    if (retryAfterMs !== undefined) {
      response.writeHeader('Retry-After', String(Math.ceil(retryAfterMs / 1_000)));
    }
    response.end(JSON.stringify({ type: 'about:blank', title, status, detail, code, ...retry }));
  });
}
