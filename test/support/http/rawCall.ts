import { once } from 'node:events';
import { type IncomingMessage, request as openRequest } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import type { RawAnswer } from '../documents/documentedApi.ts';

export interface RawRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array<ArrayBuffer> | FormData;
}

/** Sends a request as it is and reads the whole answer; of an event stream, only its beginning. */
export async function rawCall(url: string, { method, path, headers, body }: RawRequest): Promise<RawAnswer> {
  const ended = new AbortController();
  const { signal } = ended;
  const response = await fetch(url + path, {
    method,
    signal,
    ...(headers && { headers }),
    ...(body !== undefined && { body }),
  });
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
  const text = isStream ? await beginningOf(response) : await response.text();
  ended.abort();
  return { status: response.status, headers: response.headers, text };
}

async function beginningOf(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  const first = await reader?.read();
  return Buffer.from(first?.value ?? []).toString();
}

/** Sends all of a request but the end of its body, and reads what is answered to that. */
export async function unfinishedCall(url: string, request: RawRequest): Promise<RawAnswer> {
  const { method, path, headers = {}, body = '' } = request;
  if (body instanceof FormData) throw new Error('Where a form ends is not known here');
  const sent = openRequest(url + path, { method, headers });
  sent.write(Buffer.from(body).subarray(0, -10));
  const [response]: IncomingMessage[] = await once(sent, 'response');
  if (response === undefined) throw new Error('There was no answer');
  const text = await textOf(response);
  sent.destroy();
  const pairs = Object.entries(response.headers).map(([name, value]) => [name, String(value)]);
  return { status: response.statusCode ?? 0, headers: new Headers(Object.fromEntries(pairs)), text };
}
