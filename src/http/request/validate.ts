import type { z } from 'zod';
import { ChatError, type FieldError, fieldErrors } from '../../contracts/errors.ts';

/** As many as help: a list of 2,000 wrong names needs not be answered with 2,000 reasons. */
const ERRORS_MAX = 20;
/** Reasons and paths may quote the request: enough of it to recognise. */
const QUOTE_LENGTH_MAX = 200;

/**
 * What a schema makes of a part of a request.
 *
 * @throws ChatError invalid_request, naming each field that is wrong and why
 */
export function check<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalid(fieldErrors(parsed.error.issues.slice(0, ERRORS_MAX)));
}

/** An `invalid_request` about these fields. */
export function invalid(errors: readonly FieldError[]): ChatError {
  const shortened = errors.map(({ path, reason }) => ({ path: shorten(path), reason: shorten(reason) }));
  return new ChatError('invalid_request', 'The request is not as it should be: see "errors".', {
    errors: shortened,
  });
}

function shorten(text: string): string {
  return text.length <= QUOTE_LENGTH_MAX ? text : `${text.slice(0, QUOTE_LENGTH_MAX)}…`.toWellFormed();
}
