import type { Request } from 'express';
import { OPEN_USER_HEADER, type UserHeader, userByHeader } from '../../middleware/userHeader.ts';
import { headerTexts } from './headerTexts.ts';
import { invalid } from './validate.ts';

/** The app's setting with the {@link UserHeader}. */
export const USER_HEADER_SETTING = 'user header';

/**
 * The fields of a body or a query, with the `userId` of the header if there is one.
 *
 * @throws ChatError invalid_request when the header is no user id, or field and header name different users
 */
export function withUser(req: Request, fields: unknown): unknown {
  const header = userHeaderOf(req);
  // Nearly every request: nobody names anyone in a header, and none is trusted.
  if (!header.isTrusted && !namesUserInHeader(req)) return fields;
  if (typeof fields !== 'object' || fields === null) return fields;
  const named = 'userId' in fields ? fields.userId : undefined;
  const user = userByHeader(header, headerTexts(req, header.name), [named]);
  if ('wrong' in user) throw invalid([user.wrong]);
  return user.userId === null ? fields : { ...fields, userId: user.userId };
}

/** Whether the header names somebody; who, and whether rightly so, {@link withUser} tells. */
export function namesUserInHeader(req: Request): boolean {
  return req.headers[userHeaderOf(req).name.toLowerCase()] !== undefined;
}

function userHeaderOf(req: Request): UserHeader {
  return req.app.get(USER_HEADER_SETTING) ?? OPEN_USER_HEADER;
}
