import { isUtf8 } from 'node:buffer';
import type { Request } from 'express';
import { z } from 'zod';
import { UserId } from '../../contracts/ids.ts';
import { check, invalid } from './validate.ts';

/** A gateway that knows the user names them here; the field `userId` is for those without one. */
const HEADER = 'X-User-Id';
const FIELD = 'x-user-id';

const HeaderFields = z.strictObject({ [HEADER]: UserId });

/**
 * The fields of a body or a query, with the `userId` of the header if there is one.
 *
 * @throws ChatError invalid_request when the header is no user id, or field and header name different users
 */
export function withUser(req: Request, fields: unknown): unknown {
  const userId = headerUserId(req);
  if (userId === undefined || typeof fields !== 'object' || fields === null) return fields;
  if ('userId' in fields && fields.userId !== userId) {
    throw invalid([{ path: 'userId', reason: `names another user than the header ${HEADER}` }]);
  }
  return { ...fields, userId };
}

function headerUserId(req: Request): string | undefined {
  // Node splits up all headers to tell which are repeated: not worth it for one that is not there.
  if (req.headers[FIELD] === undefined) return undefined;
  const values = req.headersDistinct[FIELD];
  const [value, ...others] = values ?? [];
  if (value === undefined) return undefined;
  if (others.length > 0) throw invalid([{ path: HEADER, reason: 'must be given once' }]);
  // Node reads headers as Latin-1; what gateways send is UTF-8.
  const bytes = Buffer.from(value, 'latin1');
  if (!isUtf8(bytes)) throw invalid([{ path: HEADER, reason: 'must be UTF-8' }]);
  return check(HeaderFields, { [HEADER]: bytes.toString('utf8') })[HEADER];
}
