import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCursor, encodeCursor } from '../../../src/queries/conversationCursor.ts';

/** The last moment of 2199. */
const LAST_MICROS = Date.parse('2200-01-01T00:00:00.000Z') * 1_000 - 1;
const id = fc.stringMatching(/^c_[A-Za-z0-9_-]{21}$/);

describe('the cursor of a conversation list', () => {
  it('comes back as it was given', () => {
    const activityMicros = fc.integer({ min: 0, max: LAST_MICROS });
    const cursors = fc.record({ activityMicros, conversationId: id });
    fc.assert(
      fc.property(cursors, (cursor) => {
        expect(decodeCursor(encodeCursor(cursor))).toEqual(cursor);
      }),
    );
  });

  it('is nothing for a time that no conversation has', () => {
    const conversationId = `c_${'x'.repeat(21)}`;
    for (const activityMicros of [-1, LAST_MICROS + 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER])
      expect(decodeCursor(encodeCursor({ activityMicros, conversationId }))).toBeNull();
  });

  it('is safe in a URL and within what the contract takes', () => {
    const longest = { activityMicros: Number.MAX_SAFE_INTEGER, conversationId: `c_${'x'.repeat(21)}` };
    expect(encodeCursor(longest)).toMatch(/^[A-Za-z0-9_-]{1,200}$/);
  });

  it('is nothing when it is anything else', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(decodeCursor(text)).toBeNull();
      }),
    );
  });
});
