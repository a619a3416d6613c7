import { type ChatError, ERRORS } from '../errors.ts';
import type { Problem } from './answers/problem.ts';

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

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

/** What the header `Retry-After` says of an error; null when repeating the request is no use. */
export function retryAfterSeconds({ retryAfterMs }: ChatError): string | null {
  return retryAfterMs === undefined ? null : String(Math.ceil(retryAfterMs / 1_000));
}
