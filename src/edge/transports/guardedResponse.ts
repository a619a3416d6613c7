import type { HttpResponse, RecognizedString, us_socket_context_t } from 'uWebSockets.js';

/**
 * A response that may be touched when it is gone: that then does nothing. Status and headers are kept and written with
 * the end, in one piece.
 */
export class GuardedResponse {
  readonly #response: HttpResponse;
  readonly #headers: [RecognizedString, RecognizedString][] = [];
  #status: RecognizedString | null = null;
  #onAborted: (() => void) | null = null;
  #gone = false;

  constructor(response: HttpResponse) {
    this.#response = response;
    response.onAborted(() => {
      this.#gone = true;
      this.#onAborted?.();
    });
  }

  /** Engine.IO calls nothing but what is here. */
  asResponse(): HttpResponse {
    return this as unknown as HttpResponse;
  }

  /** As with uWebSockets.js, the last handler counts. */
  onAborted(handler: () => void): this {
    this.#onAborted = handler;
    return this;
  }

  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): this {
    if (!this.#gone) this.#response.onData(handler);
    return this;
  }

  getRemoteAddressAsText(): ArrayBuffer {
    return this.#gone ? new ArrayBuffer(0) : this.#response.getRemoteAddressAsText();
  }

  writeStatus(status: RecognizedString): this {
    this.#status = status;
    return this;
  }

  writeHeader(name: RecognizedString, value: RecognizedString): this {
    this.#headers.push([name, value]);
    return this;
  }

  cork(work: () => void): this {
    if (!this.#gone) work();
    return this;
  }

  end(body?: RecognizedString): this {
    this.#finish((response) => response.end(body));
    return this;
  }

  close(): this {
    if (!this.#gone) this.#response.close();
    return this;
  }

  upgrade(
    userData: unknown,
    key: RecognizedString,
    protocol: RecognizedString,
    extensions: RecognizedString,
    context: us_socket_context_t,
  ): void {
    this.#finish((response) => response.upgrade(userData, key, protocol, extensions, context));
  }

  #finish(how: (response: HttpResponse) => void): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#response.cork(() => {
      if (this.#status !== null) this.#response.writeStatus(this.#status);
      for (const [name, value] of this.#headers) this.#response.writeHeader(name, value);
      how(this.#response);
    });
  }
}
