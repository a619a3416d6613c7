import type { HttpResponse } from 'uWebSockets.js';
import { STATUS_CODES } from 'node:http';
import type { ChatError } from '../../contracts/errors.ts';
import { PROBLEM_TYPE, retryAfterSeconds, toProblem } from '../../contracts/http/problem.ts';
import { REQUEST_ID_HEADER } from '../../middleware/requestId.ts';
import type { HeaderList } from '../../middleware/securityHeaders.ts';

export interface RefuseOptions {
  /** Headers that every answer to this request carries. */
  readonly headers: HeaderList;
  /** Whether the connection is closed after the answer. Default false. */
  readonly closeConnection?: boolean;
}

/** Refuses a request to the edge as the API would: with a problem of the catalogue. */
export function refuse(response: HttpResponse, error: ChatError, options: RefuseOptions): void {
  const { headers, closeConnection = false } = options;
  const requestId = headers.find(([name]) => name === REQUEST_ID_HEADER)?.[1] ?? 'unknown';
  const retryAfter = retryAfterSeconds(error);
  response.cork(() => {
    response.writeStatus(statusLine(error.status));
    for (const [name, value] of headers) response.writeHeader(name, value);
    response.writeHeader('Content-Type', PROBLEM_TYPE);
    if (retryAfter !== null) response.writeHeader('Retry-After', retryAfter);
    response.end(JSON.stringify(toProblem(error, requestId)), closeConnection);
  });
}

export function statusLine(status: number): string {
  return `${status} ${STATUS_CODES[status] ?? 'Error'}`;
}
