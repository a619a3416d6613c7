import type { ErrorRequestHandler, Response } from 'express';
import { asChatError } from '../application/append.ts';
import type { Problem } from '../contracts/answers/problem.ts';
import { ChatError, ERRORS } from '../contracts/errors.ts';
import { noteFault } from '../middleware/fault.ts';
import { requestIdOf } from '../middleware/requestId.ts';

/** The one place where errors become answers. */
export const problems: ErrorRequestHandler = (error: unknown, _req, res, _next) => {
  noteFault(res, error);
  // Too late for another answer: a broken connection at least is not mistaken for a whole one.
  if (res.headersSent) res.destroy();
  else sendProblem(res, toChatError(error));
};

export function sendProblem(res: Response, error: ChatError): void {
  res.send(problemText(res, error));
}

/** The body of an answer to an error, after its status and headers were set. */
export function problemText(res: Response, cause: unknown): string {
  const error = toChatError(cause);
  if (error.retryAfterMs !== undefined) res.set('Retry-After', String(Math.ceil(error.retryAfterMs / 1_000)));
  res.status(error.status).type('application/problem+json');
  return JSON.stringify(toProblem(error, requestIdOf(res)));
}

export function toProblem(error: ChatError, requestId: string): Problem {
  const { code, status, message: detail, retryable, retryAfterMs, errors } = error;
  return {
    type: `urn:chat-backend:problem:${code}`,
    title: ERRORS[code].title,
    status,
    detail,
    code,
    requestId,
    retryable,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(errors.length > 0 && { errors }),
  };
}

/** What an error means to a client. What nobody foresaw says nothing of what is inside: the log does. */
function toChatError(error: unknown): ChatError {
  const known = asChatError(error);
  if (known instanceof ChatError) return known;
  if (error instanceof URIError) {
    return new ChatError('invalid_request', 'The path is not UTF-8 in percent-encoding.', { cause: error });
  }
  const detail = 'Something went wrong on our side; the log has more under this request id.';
  return new ChatError('internal', detail, { cause: error });
}
