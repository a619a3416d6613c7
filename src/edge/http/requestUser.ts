import type { HttpRequest } from 'uWebSockets.js';
import { ChatError, type FieldError } from '../../contracts/errors.ts';
import { WsQuery } from '../../contracts/frames/clientFrames.ts';
import { type UserHeader, userByHeader } from '../../middleware/userHeader.ts';

/**
 * Who asks the edge for a connection: whom the trusted header names when there is one, else whom the client names.
 */
export class RequestUser {
  readonly #header: UserHeader | null;
  readonly #field: string;

  /** @param trustedHeader that the gateway sets; `undefined`: no gateway is trusted, and headers count for nothing */
  constructor(trustedHeader: string | undefined) {
    this.#header = trustedHeader === undefined ? null : { name: trustedHeader, isTrusted: true };
    this.#field = trustedHeader?.toLowerCase() ?? '';
  }

  /**
   * @param values of the trusted header, one for each time that it was given
   * @param named in the query and elsewhere; `undefined` where nobody is
   */
  of(values: readonly string[], named: readonly unknown[]): string | ChatError {
    const byHeader = this.#header === null ? { userId: null } : userByHeader(this.#header, values, named);
    if ('wrong' in byHeader) return refusal(byHeader.wrong);
    const claimed = named.find((userId) => userId !== undefined);
    const parsed = WsQuery.safeParse({ userId: byHeader.userId ?? claimed });
    if (parsed.success) return parsed.data.userId;
    return new ChatError('invalid_request', 'userId must be given once, as 1–128 printable characters.');
  }

  /** The values of the trusted header in a request. */
  valuesIn(request: HttpRequest): string[] {
    const values: string[] = [];
    if (this.#header === null) return values;
    request.forEach((name, value) => {
      if (name === this.#field) values.push(value);
    });
    return values;
  }

  /** The value of the trusted header among those of a request that named it once at most. */
  valuesAmong(headers: Readonly<Record<string, unknown>>): string[] {
    const value = headers[this.#field];
    return this.#header !== null && typeof value === 'string' ? [value] : [];
  }

  /** What is wrong with a request whose header is given twice, whichever of them somebody downstream would take. */
  refusalOf(request: HttpRequest): ChatError | null {
    if (this.#header === null || this.valuesIn(request).length < 2) return null;
    return refusal({ path: this.#header.name, reason: 'must be given once' });
  }
}

function refusal({ path, reason }: FieldError): ChatError {
  return new ChatError('invalid_request', `${path} ${reason}.`, { errors: [{ path, reason }] });
}
