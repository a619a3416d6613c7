import { ChatClientError } from './errors.ts';
import type { FieldProblem } from './protocol.ts';

/** The body of an error: RFC 9457, with the server's catalogue of codes. */
export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly requestId: string;
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
  readonly errors?: readonly FieldProblem[];
}

/** The server answered with `application/problem+json`. */
export class ChatProblem extends ChatClientError {
  override readonly name = 'ChatProblem';
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  /** What the server's log has more under. */
  readonly requestId: string;
  /** Whether the very same request may succeed later. */
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly errors: readonly FieldProblem[];

  constructor(what: string, problem: ProblemBody) {
    const advice = problem.retryable
      ? 'The same request may succeed later.'
      : 'The same request would fail again.';
    super(
      `${what} was answered with ${problem.status} ${problem.code}: ${problem.detail} ${advice} ` +
        `Request id for the operators: ${problem.requestId}.`,
    );
    this.status = problem.status;
    this.code = problem.code;
    this.detail = problem.detail;
    this.requestId = problem.requestId;
    this.retryable = problem.retryable;
    this.retryAfterMs = problem.retryAfterMs;
    this.errors = problem.errors ?? [];
  }
}

/** No answer in time. */
export class HttpTimeoutError extends ChatClientError {
  override readonly name = 'HttpTimeoutError';

  constructor(what: string, timeoutMs: number) {
    super(
      `${what} was not answered within ${timeoutMs} ms. It may have been carried out: repeat a message with the same ` +
        'clientMessageId, and a change as long as the same user changed nothing about that message since; or raise ' +
        'timeoutMs, for an upload uploadTimeoutMs.',
    );
  }
}

/** The server cannot be reached, or the connection broke. */
export class HttpUnreachableError extends ChatClientError {
  override readonly name = 'HttpUnreachableError';

  constructor(what: string, cause: unknown) {
    super(
      `${what} got no answer: the server cannot be reached. Check the url and the network, then try again.`,
      {
        cause,
      },
    );
  }
}

/** Something else than the chat backend answered, such as a proxy. */
export class UnexpectedAnswerError extends ChatClientError {
  override readonly name = 'UnexpectedAnswerError';
  readonly status: number;

  constructor(what: string, status: number, contentType: string) {
    super(
      `${what} was answered with ${status} and "${contentType}", which the chat backend does not send. Check that the ` +
        'url is that of its HTTP API, and what stands in between.',
    );
    this.status = status;
  }
}
