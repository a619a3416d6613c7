import {
  ChatProblem,
  HttpTimeoutError,
  HttpUnreachableError,
  type ProblemBody,
  UnexpectedAnswerError,
} from './httpErrors.ts';

/** One call of the HTTP API. */
export interface HttpCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  /** Sent as JSON, unless it is a form. */
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** The caller's own way to end it. */
  readonly signal?: AbortSignal;
}

/**
 * Makes one call.
 *
 * @returns the JSON of the answer
 * @throws ChatProblem, HttpTimeoutError, HttpUnreachableError, UnexpectedAnswerError; the signal's reason when aborted
 */
export async function request(fetchIt: typeof fetch, call: HttpCall): Promise<unknown> {
  const what = `${call.method} ${call.url}`;
  const deadline = new AbortController();
  const abort = () => deadline.abort();
  // Not AbortSignal.any, which Node.js has from 20.3 only.
  call.signal?.addEventListener('abort', abort, { once: true });
  const timer = setTimeout(abort, call.timeoutMs);
  try {
    call.signal?.throwIfAborted();
    return await answerOf(await fetchIt(call.url, initOf(call, deadline.signal)), what);
  } catch (error) {
    if (error instanceof ChatProblem || error instanceof UnexpectedAnswerError) throw error;
    call.signal?.throwIfAborted();
    if (deadline.signal.aborted) throw new HttpTimeoutError(what, call.timeoutMs);
    throw new HttpUnreachableError(what, error);
  } finally {
    clearTimeout(timer);
    call.signal?.removeEventListener('abort', abort);
  }
}

function initOf({ method, body, headers }: HttpCall, signal: AbortSignal): RequestInit {
  if (body === undefined) return { method, signal, ...(headers && { headers }) };
  // Its type names a boundary, which `fetch` makes.
  if (body instanceof FormData) return { method, signal, body, ...(headers && { headers }) };
  const typed = { 'Content-Type': 'application/json', ...headers };
  return { method, signal, headers: typed, body: JSON.stringify(body) };
}

async function answerOf(response: Response, what: string): Promise<unknown> {
  const contentType = response.headers.get('content-type') ?? '';
  const text = await response.text();
  const json = /^application\/(problem\+)?json\b/.test(contentType) ? parse(text) : undefined;
  if (response.ok && json !== undefined) return json;
  if (isProblem(json)) throw new ChatProblem(what, json);
  throw new UnexpectedAnswerError(what, response.status, contentType);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isProblem(value: unknown): value is ProblemBody {
  return typeof value === 'object' && value !== null && 'code' in value && 'status' in value;
}
