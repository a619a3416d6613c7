import type { ErrorRequestHandler, Response } from 'express';
import { asChatError } from '../../application/chatErrors.ts';
import { ChatError } from '../../contracts/errors.ts';
import { PROBLEM_TYPE, retryAfterSeconds, toProblem } from '../../contracts/http/problem.ts';
import { noteFault } from '../../middleware/fault.ts';
import { requestIdOf } from '../../middleware/requestId.ts';

/** The one place where errors become answers. */
export const problems: ErrorRequestHandler = (error: unknown, _req, res, _next) => {
  noteFault(res, error);
  // Too late for another answer: a broken connection at least is not mistaken for a whole one.
  if (res.headersSent) res.destroy();
  else res.send(problemText(res, error));
};

/** The body of an answer to an error; sets its status and headers. */
export function problemText(res: Response, cause: unknown): string {
  const error = toChatError(cause);
  const retryAfter = retryAfterSeconds(error);
  if (retryAfter !== null) res.set('Retry-After', retryAfter);
  res.status(error.status).set('Content-Type', PROBLEM_TYPE);
  return JSON.stringify(toProblem(error, requestIdOf(res)));
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
