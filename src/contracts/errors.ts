/**
 * The one catalogue of errors that clients see: code, HTTP status, whether the same request may simply be sent
 * again, and what it means. `docs/errors.md` is generated from it.
 */
export interface ErrorEntry {
  readonly status: number;
  readonly title: string;
  /** True when repeating the very same request can succeed without the client changing anything. */
  readonly retryable: boolean;
  /** What `Retry-After` and `retryAfterMs` say when nothing more exact is known. */
  readonly retryAfterMs?: number;
}

export const ERRORS = {
  invalid_request: { status: 400, title: 'The request violates its schema', retryable: false },
  forbidden: { status: 403, title: 'Not allowed', retryable: false },
  not_found: { status: 404, title: 'Not found', retryable: false },
  method_not_allowed: { status: 405, title: 'Method not allowed', retryable: false },
  request_timeout: {
    status: 408,
    title: 'The request did not come in time',
    retryable: true,
    retryAfterMs: 1_000,
  },
  conflict: { status: 409, title: 'Conflict with the current state', retryable: false },
  client_message_id_reused: {
    status: 409,
    title: 'The same clientMessageId with other content',
    retryable: false,
  },
  payload_too_large: { status: 413, title: 'Payload too large', retryable: false },
  unsupported_media_type: { status: 415, title: 'Unsupported media type', retryable: false },
  range_not_satisfiable: { status: 416, title: 'Range not satisfiable', retryable: false },
  internal: { status: 500, title: 'Internal error', retryable: false },
  log_unavailable: { status: 503, title: 'The log is unavailable', retryable: true, retryAfterMs: 1_000 },
  database_unavailable: {
    status: 503,
    title: 'The database is unavailable',
    retryable: true,
    retryAfterMs: 2_000,
  },
  overloaded: { status: 503, title: 'Overloaded', retryable: true, retryAfterMs: 1_000 },
  unknown_outcome: {
    status: 504,
    title: 'Outcome unknown: retry with the same clientMessageId',
    retryable: true,
    retryAfterMs: 500,
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

export interface FieldError {
  /** Where in the request, as in `participantIds.3`; empty for the request itself. */
  readonly path: string;
  readonly reason: string;
}

/** An answer other than success, with everything a transport needs to tell the client. */
export class ChatError extends Error {
  override readonly name = 'ChatError';
  readonly code: ErrorCode;
  readonly errors: readonly FieldError[];
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ErrorCode,
    detail: string,
    options: { errors?: readonly FieldError[]; cause?: unknown; retryAfterMs?: number } = {},
  ) {
    super(detail, { cause: options.cause });
    this.code = code;
    this.errors = options.errors ?? [];
    this.retryAfterMs = options.retryAfterMs ?? entry(code).retryAfterMs;
  }

  get status(): number {
    return entry(this.code).status;
  }

  get retryable(): boolean {
    return entry(this.code).retryable;
  }
}

function entry(code: ErrorCode): ErrorEntry {
  return ERRORS[code];
}

/** Turns zod's findings into the field errors of the protocol. */
export function fieldErrors(issues: readonly { path: PropertyKey[]; message: string }[]): FieldError[] {
  return issues.map((issue) => ({ path: issue.path.map(String).join('.'), reason: issue.message }));
}
