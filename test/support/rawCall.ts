import type { RawAnswer } from './documentedApi.ts';

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
