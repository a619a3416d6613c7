import type { FieldError } from '../contracts/errors.ts';
import { UserId } from '../contracts/ids.ts';

/** The header by which a gateway names the user of a request. */
export interface UserHeader {
  readonly name: string;
  /** The gateway sets or removes it on every request, and nobody else names users. Else it is one way among others. */
  readonly isTrusted: boolean;
}

/**
 * What a trusted header may hold. uWebSockets.js 20 cuts bytes beyond ASCII off both ends of a header's value before anybody
 * sees it: one user would become another there.
 */
const TRUSTED_VALUE = /^[\x20-\x7e]+$/;

/** Without a gateway that is trusted: a client may name itself in this header instead of a field. */
export const OPEN_USER_HEADER: UserHeader = { name: 'X-User-Id', isTrusted: false };

/** Who a request is from by its header: `null`, nobody; or what is wrong. */
export type HeaderUser = { readonly userId: string | null } | { readonly wrong: FieldError };

/**
 * The user that a header names.
 *
 * @param values of the header, one for each time that it was given
 * @param named what the request itself says in fields; `undefined` for those it leaves out
 */
export function userByHeader(
  { name, isTrusted }: UserHeader,
  values: readonly string[],
  named: readonly unknown[],
): HeaderUser {
  const [value, ...others] = values;
  const namesUser = named.some((userId) => userId !== undefined);
  if (others.length > 0) return wrong(name, 'must be given once');
  if (value === undefined || (isTrusted && value === '')) {
    if (!isTrusted || !namesUser) return { userId: null };
    return wrong('userId', `names a user, but the header ${name}, which decides here, names none`);
  }
  if (isTrusted && !TRUSTED_VALUE.test(value)) return wrong(name, 'must be printable ASCII');
  const parsed = UserId.safeParse(value);
  if (!parsed.success) return wrong(name, parsed.error.issues[0]?.message ?? 'is no user id');
  if (named.some((userId) => userId !== undefined && userId !== value))
    return wrong('userId', `names another user than the header ${name}`);
  return { userId: value };
}

function wrong(path: string, reason: string): HeaderUser {
  return { wrong: { path, reason } };
}
