import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCursor, encodeCursor } from '../../../src/queries/conversationCursor.ts';

const id = fc.stringMatching(/^c_[A-Za-z0-9_-]{21}$/);

describe('the cursor of a conversation list', () => {
  it('comes back as it was given', () => {
    const cursors = fc.record({ activityMicros: fc.maxSafeInteger(), conversationId: id });
    fc.assert(
      fc.property(cursors, (cursor) => {
        expect(decodeCursor(encodeCursor(cursor))).toEqual(cursor);
      }),
    );
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
