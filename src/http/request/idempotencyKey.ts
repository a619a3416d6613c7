import type { Request } from 'express';
import { z } from 'zod';
import { ClientConversationId } from '../../contracts/ids.ts';
import { headerTexts } from './headerTexts.ts';
import { check, invalid } from './validate.ts';

const HEADER = 'Idempotency-Key';
const HeaderFields = z.strictObject({ [HEADER]: ClientConversationId });

/**
 * The key under which a repeat is recognised: a field of the body, or the header of the IETF draft, whose quotes are no part
 * of it.
 *
 * @param field what the body says
 * @throws ChatError invalid_request when the header is no key, or field and header differ
 */
export function idempotencyKey(
  req: Request,
  field: { readonly path: string; readonly value: string | undefined },
): string | undefined {
  const [value, ...others] = headerTexts(req, HEADER);
  if (value === undefined) return field.value;
  if (others.length > 0) throw invalid([{ path: HEADER, reason: 'must be given once' }]);
  const key = check(HeaderFields, { [HEADER]: value.replace(/^"(.*)"$/, '$1') })[HEADER];
  if (field.value !== undefined && field.value !== key)
    throw invalid([{ path: field.path, reason: `is another one than in the header ${HEADER}` }]);
  return key;
}
