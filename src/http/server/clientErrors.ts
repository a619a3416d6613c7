import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { ChatError } from '../../contracts/errors.ts';
import { PROBLEM_TYPE, retryAfterSeconds, toProblem } from '../../contracts/http/problem.ts';
import { REQUEST_ID_HEADER } from '../../middleware/requestId.ts';
import type { HeaderList } from '../../middleware/securityHeaders.ts';
import type { Linked, LinkedList } from '../../platform/linkedList.ts';

/** An answer that is being made. */
export interface AnswerInFlight extends Linked<AnswerInFlight> {
  readonly res: ServerResponse;
}

/** In the order of the requests. */
export type AnswersInFlight = LinkedList<AnswerInFlight>;

export interface ClientErrorsOptions {
  /** What every answer carries. */
  readonly headers: HeaderList;
  readonly inFlight: AnswersInFlight;
}

/**
 * Answers what is not HTTP, or not in time: there is no request for the app to answer. The connection is closed, as
 * nobody knows where on it a next request would begin.
 *
 * Answers go out in the order of the requests: one that is being made for an earlier request goes first, and one that has
 * begun is cut off rather than continued with another.
 */
export function answerClientErrors({ headers, inFlight }: ClientErrorsOptions) {
  const condemned = new WeakSet<Duplex>();
  return (error: NodeJS.ErrnoException, socket: Duplex): void => {
    if (condemned.has(socket)) return;
    condemned.add(socket);
    const answer = () => sendClientError(error, socket, headers);
    const earlier = [...inFlight].findLast(({ res }) => isEarlier(res, socket))?.res;
    if (earlier === undefined) answer();
    else if (earlier.writableEnded || !earlier.headersSent) earlier.once('finish', answer);
    else socket.destroy();
  };
}

/**
 * Whether this is the answer to a request that came before what is malformed. The response of a request has no socket while
 * the one before it is under way, so the request is asked for it.
 */
function isEarlier(res: ServerResponse, socket: Duplex): boolean {
  // What is broken is the body of this very request.
  const isBroken = !res.headersSent && !res.req.complete;
  return res.req.socket === socket && !res.writableFinished && !isBroken;
}

function sendClientError(error: NodeJS.ErrnoException, socket: Duplex, headers: HeaderList): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  socket.end(rawProblem(meaningOf(error), headers));
}

/** A whole answer, for sockets that no longer have an HTTP server's response. */
export function rawProblem(error: ChatError, headers: HeaderList): string {
  const requestId = randomUUID();
  const problem = toProblem(error, requestId);
  const body = JSON.stringify(problem);
  const retryAfter = retryAfterSeconds(error);
  const all = [
    ...headers,
    ...(retryAfter === null ? [] : [['Retry-After', retryAfter] as const]),
    ['Cache-Control', 'no-store'],
    ['Content-Type', PROBLEM_TYPE],
    ['Content-Length', String(Buffer.byteLength(body))],
    [REQUEST_ID_HEADER, requestId],
    ['Connection', 'close'],
  ];
  const lines = all.map(([name, value]) => `${name}: ${value}`);
  return `HTTP/1.1 ${problem.status} ${problem.title}\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
}

function meaningOf(error: NodeJS.ErrnoException): ChatError {
  const { code } = error;
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new ChatError('request_timeout', 'The request did not come in time.', { cause: error });
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new ChatError('payload_too_large', 'The headers and the path are too long.', { cause: error });
  }
  return new ChatError('invalid_request', 'This is not HTTP/1.1.', { cause: error });
}
