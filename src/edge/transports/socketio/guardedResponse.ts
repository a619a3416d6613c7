import type { HttpResponse, RecognizedString, us_socket_context_t } from 'uWebSockets.js';
import { ChatError } from '../../../contracts/errors.ts';
import { REQUEST_ID_HEADER } from '../../../middleware/requestId.ts';
import type { HeaderList } from '../../../middleware/securityHeaders.ts';
import { refuse } from '../../http/refuse.ts';

/**
 * A response that may be touched when it is gone: that then does nothing. Status and headers are kept and written with
 * the end, in one piece, after those that every answer carries.
 */
export class GuardedResponse {
  readonly #response: HttpResponse;
  readonly #common: HeaderList;
  readonly #headers = new Map<string, readonly [RecognizedString, RecognizedString]>();
  #status: RecognizedString | null = null;
  #onAborted: (() => void) | null = null;
  #gone = false;
  #body: ArrayBuffer | null = null;

  /** @param headers those of every answer, but one whose name is written later; of an upgrade, the request's id alone */
  constructor(response: HttpResponse, headers: HeaderList) {
    this.#response = response;
    this.#common = headers;
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
    if (this.#gone) return this;
    if (this.#body === null) this.#response.onData(handler);
    else handler(this.#body, true);
    return this;
  }

  /** The body has come already: who asks for it next gets it whole. */
  hold(body: Uint8Array): void {
    this.#body = Uint8Array.from(body).buffer;
  }

  getRemoteAddressAsText(): ArrayBuffer {
    return this.#gone ? new ArrayBuffer(0) : this.#response.getRemoteAddressAsText();
  }

  writeStatus(status: RecognizedString): this {
    this.#status = status;
    return this;
  }

  writeHeader(name: RecognizedString, value: RecognizedString): this {
    this.#headers.set(String(name).toLowerCase(), [name, value]);
    return this;
  }

  cork(work: () => void): this {
    if (!this.#gone) work();
    return this;
  }

  end(body?: RecognizedString): this {
    const status = /^[45]\d\d/.exec(String(this.#status ?? ''))?.[0];
    if (status !== undefined && body === undefined) return this.refuse(bareRefusal(status));
    this.#finish(this.#common, (response) => response.end(body));
    return this;
  }

  /** Answers with a problem of the catalogue. */
  refuse(error: ChatError, closeConnection = false): this {
    if (this.#gone) return this;
    this.#gone = true;
    refuse(this.#response, error, { headers: this.#common, closeConnection });
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
    const named = this.#common.filter(([name]) => name === REQUEST_ID_HEADER);
    this.#finish(named, (response) => response.upgrade(userData, key, protocol, extensions, context));
  }

  #finish(common: HeaderList, how: (response: HttpResponse) => void): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#response.cork(() => {
      if (this.#status !== null) this.#response.writeStatus(this.#status);
      for (const [name, value] of common) {
        if (!this.#headers.has(name.toLowerCase())) this.#response.writeHeader(name, value);
      }
      for (const [name, value] of this.#headers.values()) this.#response.writeHeader(name, value);
      how(this.#response);
    });
  }
}

/** Engine.IO refuses what a client has got wrong with a status and no word. */
function bareRefusal(status: string): ChatError {
  if (status === '413') return new ChatError('payload_too_large', 'The body is larger than a frame may be.');
  return new ChatError('invalid_request', 'Engine.IO does not take this request: see its protocol.');
}
