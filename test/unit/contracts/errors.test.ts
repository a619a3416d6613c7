import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { generateDocs } from '../../../src/cli/docs/generateDocs.ts';
import {
  ChatError,
  ERRORS,
  type ErrorCode,
  type ErrorEntry,
  fieldErrors,
} from '../../../src/contracts/errors.ts';

const entries = Object.entries<ErrorEntry>(ERRORS);

describe('the error catalogue', () => {
  it.each(entries)('has a sensible entry for %s', (code, entry) => {
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
    expect(entry.status).toBeGreaterThanOrEqual(400);
    expect(entry.status).toBeLessThan(600);
    expect(entry.title).not.toBe('');
    // A client is told how long to wait exactly when waiting helps.
    expect(entry.retryAfterMs !== undefined).toBe(entry.retryable);
  });

  it('keeps the codes and statuses of the protocol', () => {
    expect(Object.fromEntries(entries.map(([code, { status }]) => [code, status]))).toEqual({
      invalid_request: 400,
      forbidden: 403,
      not_found: 404,
      method_not_allowed: 405,
      request_timeout: 408,
      conflict: 409,
      client_message_id_reused: 409,
      payload_too_large: 413,
      unsupported_media_type: 415,
      range_not_satisfiable: 416,
      internal: 500,
      log_unavailable: 503,
      database_unavailable: 503,
      overloaded: 503,
      unknown_outcome: 504,
    });
  });

  it('is what docs/errors.md shows, row by row', () => {
    const page = generateDocs().get('docs/errors.md') ?? '';
    const rows = [...page.matchAll(/^\| `(\w+)` \| (\d+) \| (yes|no)/gm)].map(([, ...cells]) => cells);
    const wanted = entries.map(([code, { status, retryable }]) => [
      code,
      String(status),
      retryable ? 'yes' : 'no',
    ]);
    expect(rows).toEqual(wanted);
  });
});

describe('a ChatError', () => {
  it.each(entries)('takes what it tells about %s from the catalogue', (code, entry) => {
    const error = new ChatError(code as ErrorCode, 'because');
    const { status, retryable, retryAfterMs, message, errors } = error;
    expect({ status, retryable, retryAfterMs }).toEqual({
      status: entry.status,
      retryable: entry.retryable,
      retryAfterMs: entry.retryAfterMs,
    });
    expect([message, errors]).toEqual(['because', []]);
  });

  it('says when to come back as who refuses knows it, else as the catalogue does', () => {
    expect(new ChatError('overloaded', 'full', { retryAfterMs: 4_321 }).retryAfterMs).toBe(4_321);
    expect(new ChatError('overloaded', 'full').retryAfterMs).toBe(ERRORS.overloaded.retryAfterMs);
  });

  it('keeps its cause for the log', () => {
    const cause = new Error('disk full');
    expect(new ChatError('internal', 'Something broke.', { cause }).cause).toBe(cause);
  });
});

it('findings of zod become field errors with a path', () => {
  const schema = z.object({ participantIds: z.array(z.string()) });
  const { error } = schema.safeParse({ participantIds: ['a', 1] });
  expect(fieldErrors(error?.issues ?? [])).toEqual([
    { path: 'participantIds.1', reason: expect.any(String) },
  ]);
});
