import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  conversationSubjects,
  EVENTS_PREFIX,
  eventSubject,
  PARTITIONS,
  parseEventSubject,
  partitionOf,
} from '../../../../src/contracts/events/subjects.ts';
import { conversationId } from '../../../support/domain/arbitraries.ts';
import { C1 } from '../../../support/domain/conversations.ts';

const category = fc.constantFrom('conversation' as const, 'message' as const);

describe('the partition of a conversation', () => {
  /** Computed independently, in Python, from the definition of FNV-1a. Existing logs depend on every one. */
  it.each([
    ['c_AAAAAAAAAAAAAAAAAAAAA', 46],
    ['c_BBBBBBBBBBBBBBBBBBBBB', 47],
    ['c_V1StGXR8_Z5jdHi6B-myT', 6],
    ['c_000000000000000000000', 21],
    ['c_---------------------', 26],
    ['c_zyxwvutsrqponmlkjihgf', 31],
  ])('of %s is %d for ever', (id, partition) => {
    expect(partitionOf(id)).toBe(partition);
  });

  it('is one of 64', () => {
    expect(PARTITIONS).toBe(64);
    fc.assert(
      fc.property(conversationId, (id) => {
        expect(Number.isInteger(partitionOf(id))).toBe(true);
        expect(partitionOf(id)).toBeGreaterThanOrEqual(0);
        expect(partitionOf(id)).toBeLessThan(64);
      }),
    );
  });

  it('spreads conversations over all of them', () => {
    const counts = new Array<number>(PARTITIONS).fill(0);
    for (const id of fc.sample(conversationId, { numRuns: 6_400, seed: 1 })) counts[partitionOf(id)]! += 1;
    expect(Math.min(...counts)).toBeGreaterThan(50);
    expect(Math.max(...counts)).toBeLessThan(200);
  });
});

describe('a subject of the log', () => {
  it('is golden: stored streams hold it', () => {
    expect(eventSubject(C1, 'message')).toBe(`chat.events.46.${C1}.message`);
    expect(conversationSubjects(C1)).toBe(`chat.events.46.${C1}.*`);
  });

  it('is read back as what it was made from', () => {
    fc.assert(
      fc.property(conversationId, category, (id, kind) => {
        const parsed = parseEventSubject(eventSubject(id, kind));
        expect(parsed).toEqual({ partition: partitionOf(id), conversationId: id, category: kind });
      }),
    );
  });

  it('has five tokens, so that it fits the stream', () => {
    fc.assert(
      fc.property(conversationId, category, (id, kind) => eventSubject(id, kind).split('.').length === 5),
    );
  });

  it.each([
    '',
    'chat.events.',
    'chat.events.46',
    `chat.events.46.${C1}`,
    `chat.events.46.${C1}.`,
    `chat.events.46.${C1}.other`,
    `chat.events.46.${C1}.message.more`,
    `chat.receipts.46.${C1}.message`,
    `${EVENTS_PREFIX}${C1}.message`,
  ])('is not %j', (subject) => {
    expect(parseEventSubject(subject)).toBeNull();
  });
});
