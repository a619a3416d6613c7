import type { Request } from 'express';
import type { z } from 'zod';
import { withUser } from './identity.ts';
import { check, invalid } from './validate.ts';

/**
 * The query of a request, checked, with the user that the header names if the schema has one.
 *
 * @throws ChatError invalid_request
 */
export function readQuery<S extends z.ZodType>(req: Request, schema: S): z.output<S> {
  return check(schema, withUser(req, queryFields(req)));
}

/** The query of a call that takes its fields in the body. @throws ChatError invalid_request */
export function queryFields(req: Request): Record<string, string> {
  if (!req.originalUrl.includes('?')) return {};
  const fields = new Map<string, string>();
  for (const [name, value] of queryPairs(req)) {
    // Which of two would count is anybody's guess: none does.
    if (fields.has(name)) throw invalid([{ path: name, reason: 'must be given once' }]);
    fields.set(name, value);
  }
  return Object.fromEntries(fields);
}

/** Names and values in the order of the query, for calls in which one may be repeated. @throws ChatError invalid_request */
export function queryPairs(req: Request): [string, string][] {
  const [, query = ''] = req.originalUrl.split(/\?(.*)/s);
  return query
    .split('&')
    .filter((text) => text !== '')
    .map((pair) => {
      const [name = '', value = ''] = pair.split(/=(.*)/s);
      return [decode(name), decode(value)];
    });
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw invalid([{ path: '', reason: 'the query is not UTF-8 in percent-encoding' }]);
  }
}
