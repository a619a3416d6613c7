import type { HttpRequest } from 'uWebSockets.js';
import { ChatError } from '../../../contracts/errors.ts';
import { FRAME_BYTES_MAX } from '../../../contracts/frames/clientFrames.ts';
import type { GuardedResponse } from './guardedResponse.ts';

/** Bodies that are collected at a time. Each holds up to {@link FRAME_BYTES_MAX}: 32 MB together. */
const COLLECTED_MAX = 256;
/** How long one may take, in milliseconds. */
const BODY_MS_MAX = 30_000;

/** Whether a poll brings a body whose length it does not say, as streaming proxies and some clients send it. */
export function isStreamed(request: HttpRequest): boolean {
  return request.getMethod() === 'post' && request.getHeader('transfer-encoding') !== '';
}

/**
 * Collects bodies that come in chunks, since Engine.IO takes only those that say their length. What comes out of it is the same
 * request with a length.
 */
export class StreamedBodies {
  #inFlight = 0;

  /**
   * @param take gets the request, once its body is in the response to be read
   * @param refuse gets why it is not taken
   */
  collect(
    request: HttpRequest,
    response: GuardedResponse,
    { take, refuse }: { take: (request: HttpRequest) => void; refuse: (error: ChatError) => void },
  ): void {
    if (this.#inFlight >= COLLECTED_MAX) {
      return refuse(new ChatError('overloaded', `${COLLECTED_MAX} bodies are on their way here already.`));
    }
    this.#inFlight += 1;
    const kept = new KeptRequest(request);
    const body = new Collected();
    let ended = false;
    const end = (then: () => void = () => {}) => {
      if (ended) return;
      ended = true;
      this.#inFlight -= 1;
      clearTimeout(deadline);
      then();
    };
    const late = new ChatError('request_timeout', `The body did not come within ${BODY_MS_MAX} ms.`);
    const deadline = setTimeout(() => end(() => refuse(late)), BODY_MS_MAX);
    response.onAborted(() => end());
    response.onData((chunk, isLast) => {
      if (body.length + chunk.byteLength > FRAME_BYTES_MAX) return end(() => refuse(tooLarge()));
      if (ended) return;
      body.add(chunk);
      if (!isLast) return;
      end(() => {
        response.hold(body.bytes);
        take(kept.of(body.length));
      });
    });
  }
}

/** Bytes of one piece: in a list, chunks of a byte each would take a hundred times their room. */
class Collected {
  #room = Buffer.allocUnsafe(1_024);
  length = 0;

  get bytes(): Uint8Array {
    return this.#room.subarray(0, this.length);
  }

  /** Copies them: uWebSockets.js takes its bytes back. */
  add(chunk: ArrayBuffer): void {
    const length = this.length + chunk.byteLength;
    if (length > this.#room.length) {
      const more = Buffer.allocUnsafe(Math.max(length, 2 * this.#room.length));
      more.set(this.bytes);
      this.#room = more;
    }
    this.#room.set(new Uint8Array(chunk), this.length);
    this.length = length;
  }
}

function tooLarge(): ChatError {
  return new ChatError('payload_too_large', `The body has more than ${FRAME_BYTES_MAX} bytes.`);
}

/** What Engine.IO reads of a request, kept beyond the call that brought it. */
class KeptRequest {
  readonly #method: string;
  readonly #url: string;
  readonly #query: string;
  readonly #headers = new Map<string, string>();

  constructor(request: HttpRequest) {
    this.#method = request.getMethod();
    this.#url = request.getUrl();
    this.#query = request.getQuery() ?? '';
    request.forEach((name, value) => {
      this.#headers.set(name, value);
    });
  }

  /** The same with a body of this length instead of one in chunks. */
  of(length: number): HttpRequest {
    this.#headers.delete('transfer-encoding');
    this.#headers.set('content-length', String(length));
    return this as unknown as HttpRequest;
  }

  getMethod(): string {
    return this.#method;
  }

  getUrl(): string {
    return this.#url;
  }

  getQuery(): string {
    return this.#query;
  }

  getHeader(name: string): string {
    return this.#headers.get(name) ?? '';
  }

  forEach(each: (name: string, value: string) => void): void {
    for (const [name, value] of this.#headers) each(name, value);
  }
}
