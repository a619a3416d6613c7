import { type ChatError, ERRORS, type FieldError } from './errors.ts';

/** An error as HTTP clients get it: RFC 9457, with the catalogue's code. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly requestId: string;
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
  readonly errors?: readonly FieldError[];
}

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
