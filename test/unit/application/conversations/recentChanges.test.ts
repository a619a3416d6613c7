import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RecentChanges } from '../../../../src/application/conversations/recentChanges.ts';
import type { StoredEvent } from '../../../../src/ports/eventLog.ts';

const IDS = ['a', 'b', 'c', 'd', 'e'];

function eventAt(seq: number, conversationId: string, category: 'conversation' | 'message'): StoredEvent {
  return { seq, conversationId, category, bytes: new Uint8Array(), storedAtMs: 0 };
}

it('knows every change after a sequence from which it says that it does, and remembers no more than it may', () => {
  const events = fc.array(
    fc.record({
      gap: fc.integer({ min: 1, max: 3 }),
      id: fc.constantFrom(...IDS),
      changes: fc.boolean(),
    }),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(
      events,
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 0, max: 20 }),
      (passing, max, start) => {
        const recent = new RecentChanges(max);
        const changes: { id: string; seq: number }[] = [];
        let seq = start;
        recent.begin(start);
        for (const { gap, id, changes: isChange } of passing) {
          seq += gap;
          recent.note(eventAt(seq, id, isChange ? 'conversation' : 'message'));
          if (isChange) changes.push({ id, seq });
          expect(recent.size).toBeLessThanOrEqual(max);
          for (let behind = 0; behind <= seq; behind++) {
            if (!recent.completeAfter(behind)) continue;
            for (const wanted of IDS) {
              const latest = changes.findLast((change) => change.id === wanted && change.seq > behind);
              if (latest !== undefined) expect(recent.latest(wanted)).toBe(latest.seq);
            }
          }
          expect([recent.position, recent.completeAfter(seq)]).toEqual([seq, true]);
        }
      },
    ),
  );
});

it('knows of nothing before the tail has begun', () => {
  const recent = new RecentChanges(10);
  expect([recent.completeAfter(0), recent.completeAfter(1e9)]).toEqual([false, false]);
  recent.note(eventAt(100, 'a', 'conversation'));
  expect([recent.completeAfter(100), recent.latest('a')]).toEqual([false, 100]);
  recent.begin(100);
  expect([recent.completeAfter(99), recent.completeAfter(100), recent.latest('a')]).toEqual([false, true, 0]);
});
