import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findPoison } from '../../../../projections/runner/poison.ts';
import type { LoggedEvent } from '../../../../projections/runner/projection.ts';

/** Events of these conversations, in this order, beginning at sequence 1. */
const eventsOf = (conversations: readonly number[]): LoggedEvent[] =>
  conversations.map((n, index) => ({
    seq: index + 1,
    event: {
      type: 'MessageDeleted',
      v: 1,
      conversationId: `c${n}`,
      messageId: `m${index}`,
      userId: 'alice',
      at: '2026-01-01T00:00:00.000Z',
    },
  }));

/** Refuses events of these sequences, and every second one of each pair whose first is there. */
function database(bad: readonly number[], pairs: readonly (readonly [number, number])[] = []) {
  let probes = 0;
  const probe = async (events: readonly LoggedEvent[]) => {
    probes += 1;
    const there = new Set(events.map(({ seq }) => seq));
    const refuses =
      bad.some((seq) => there.has(seq)) || pairs.some((pair) => pair.every((seq) => there.has(seq)));
    return refuses ? 'refused' : null;
  };
  return { probe, probes: () => probes };
}

test('one bad event among a thousand conversations is found in some twenty tries', async () => {
  const events = eventsOf(Array.from({ length: 2_000 }, (_, n) => n % 1_000));
  const { probe, probes } = database([1_234]);
  expect(await findPoison(events, probe)).toEqual([
    {
      conversationId: 'c233',
      seq: 1_234,
      error: 'Event 1234 (MessageDeleted) of c233 cannot be projected: refused',
    },
  ]);
  expect(probes()).toBeLessThan(30);
});

test('of two conversations that go apart and not together the later one is to blame', async () => {
  const { probe } = database([], [[1, 3]]);
  const poison = await findPoison(eventsOf([0, 1, 1, 2]), probe);
  expect(poison).toMatchObject([{ conversationId: 'c1', seq: 3 }]);
});

test('nothing is to blame when all goes now', async () => {
  expect(await findPoison(eventsOf([0, 1]), database([]).probe)).toEqual([]);
});

test('whatever is bad, what remains can be projected, and nothing that could be is blamed', async () => {
  const position = fc.integer({ min: 1, max: 40 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(5), { minLength: 1, maxLength: 40 }),
      fc.uniqueArray(position, { maxLength: 5 }),
      fc.array(fc.tuple(position, position), { maxLength: 3 }),
      async (conversations, bad, pairs) => {
        const events = eventsOf(conversations);
        const { probe } = database(bad, pairs);
        const poison = await findPoison(events, probe);
        const from = new Map(poison.map(({ conversationId, seq }) => [conversationId, seq]));
        expect(from.size).toBe(poison.length);
        const rest = events.filter(({ seq, event }) => seq < (from.get(event.conversationId) ?? 100));
        expect(await probe(rest)).toBeNull();
        const guilty = new Set([...bad, ...pairs.flat()]);
        for (const { seq } of poison) expect(guilty).toContain(seq);
      },
    ),
  );
});
