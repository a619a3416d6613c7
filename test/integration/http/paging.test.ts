import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../../support/http/httpApi.ts';
import { createMigratedDatabase, projectAll } from '../../support/projections/historyDatabase.ts';
import type { TestDatabase } from '../../support/servers/postgres.ts';

/** Cursors name a place and not a number: what is written between two pages neither hides nor repeats anything. */
let database: TestDatabase;
let api: TestApi;
let users = 0;

beforeAll(async () => {
  database = await createMigratedDatabase();
  api = await startTestApi({ databaseUrl: database.url });
});
afterAll(async () => {
  await api.stop();
  await database.drop();
});

async function create(userId: string): Promise<string> {
  return (await api.call('POST', '/api/chat/conversations', { userId })).body.conversation.id;
}

async function say(conversationId: string, userId: string, content = 'zebra'): Promise<number> {
  const message = { conversationId, userId, content };
  return (await api.call('POST', '/api/chat/messages', message)).body.seq;
}

/** Reads page after page; `between` writes before each further one. */
async function pages<T>(
  read: (cursor: string) => Promise<{ items: T[]; next: string | null }>,
  between: () => Promise<unknown>,
): Promise<T[]> {
  const all: T[] = [];
  for (let next: string | null = ''; next !== null; ) {
    const page: { items: T[]; next: string | null } = await read(next);
    all.push(...page.items);
    next = page.next;
    if (next === null) break;
    await between();
    await projectAll(api);
  }
  return all;
}

const sizes = {
  count: fc.integer({ min: 1, max: 9 }),
  limit: fc.integer({ min: 1, max: 4 }),
  active: fc.nat(8),
};

it('a list shows each conversation that rests once, whatever is created and said meanwhile', async () => {
  await fc.assert(
    fc.asyncProperty(fc.record(sizes), async ({ count, limit, active }) => {
      users += 1;
      const userId = `lister-${users}`;
      const ids: string[] = [];
      for (let n = 0; n < count; n++) ids.push(await create(userId));
      await projectAll(api);
      const busy = ids[active % count] ?? '';
      const activeAt = new Map<string, string>();
      const seen = await pages(
        async (cursor) => {
          const path = `/api/chat/conversations?userId=${userId}&limit=${limit}${cursor && `&cursor=${cursor}`}`;
          const { conversations, nextCursor } = (await api.call('GET', path)).body;
          for (const { id, lastActivityAt } of conversations) activeAt.set(id, lastActivityAt);
          return { items: conversations.map(({ id }: { id: string }) => id), next: nextCursor };
        },
        async () => {
          await say(busy, userId);
          await create(userId);
        },
      );
      // The busy one moves to the top: it is there once, or was behind the cursor when it moved.
      const resting = seen.filter((id) => id !== busy);
      expect(resting.toSorted()).toEqual(ids.filter((id) => id !== busy).toSorted());
      // Those of the same millisecond come in the order of their ids, not of their making.
      const times = resting.map((id) => activeAt.get(String(id)) ?? '');
      expect(times).not.toContain('');
      expect(times).toEqual(times.toSorted().reverse());
      expect(seen.filter((id) => id === busy).length).toBeLessThanOrEqual(1);
    }),
    { numRuns: 15 },
  );
});

it.each(['before', 'after'] as const)(
  'history by %s shows every message once, in order',
  async (direction) => {
    await fc.assert(
      fc.asyncProperty(fc.record(sizes), async ({ count, limit }) => {
        const conversationId = await create('alice');
        const seqs: number[] = [];
        for (let n = 0; n < count; n++) seqs.push(await say(conversationId, 'alice'));
        await projectAll(api);
        const later: number[] = [];
        const found = await pages(
          async (cursor) => {
            const start = direction === 'after' ? '&after=0' : '';
            const at = cursor === '' ? start : `&${direction}=${cursor}`;
            const path = `/api/chat/conversations/${conversationId}/messages?userId=alice&limit=${limit}${at}`;
            const { messages, hasMore } = (await api.call('GET', path)).body;
            const items: number[] = messages.map(({ seq }: { seq: number }) => seq);
            const last = direction === 'after' ? items.at(-1) : items[0];
            return {
              items: direction === 'after' ? items : items.reverse(),
              next: hasMore ? String(last) : null,
            };
          },
          async () => {
            if (later.length < 5) later.push(await say(conversationId, 'alice'));
          },
        );
        // Backwards nothing new is met; forwards all of it is.
        expect(found).toEqual(direction === 'after' ? [...seqs, ...later] : [...seqs].reverse());
      }),
      { numRuns: 15 },
    );
  },
);

it('a search shows every hit there was once, and none that came later', async () => {
  await fc.assert(
    fc.asyncProperty(fc.record(sizes), async ({ count, limit }) => {
      const conversationId = await create('alice');
      const seqs: number[] = [];
      for (let n = 0; n < count; n++) seqs.push(await say(conversationId, 'alice'));
      await projectAll(api);
      const found = await pages(
        async (cursor) => {
          const place = `userId=alice&q=zebra&conversationId=${conversationId}&limit=${limit}`;
          const path = `/api/chat/search?${place}${cursor && `&cursor=${cursor}`}`;
          const { messages, nextCursor } = (await api.call('GET', path)).body;
          return { items: messages.map(({ seq }: { seq: number }) => seq), next: nextCursor };
        },
        () => say(conversationId, 'alice'),
      );
      expect(found).toEqual([...seqs].reverse());
    }),
    { numRuns: 15 },
  );
});
