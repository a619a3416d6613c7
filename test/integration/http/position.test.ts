import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { PARTITION_GROUPS } from '../../../src/contracts/events/subjects.ts';
import { type Answer, startTestApi, type TestApi } from '../../support/http/httpApi.ts';
import { PATIENCE_MS } from '../../support/http/patientProgress.ts';
import { createMigratedDatabase, projectAll } from '../../support/projections/historyDatabase.ts';
import type { TestDatabase } from '../../support/servers/postgres.ts';

/** Read your own writes: reads that name a position show what was written before it. */
let database: TestDatabase;
let api: TestApi;
let conversationId: string;
let position: string;

beforeAll(async () => {
  database = await createMigratedDatabase();
  api = await startTestApi({ databaseUrl: database.url });
});
afterAll(async () => {
  await api.stop();
  await database.drop();
});
beforeEach(async () => {
  api.progress.patienceMs = PATIENCE_MS;
  const created = await api.call('POST', '/api/chat/conversations', { userId: 'alice' });
  conversationId = created.body.conversation.id;
  await projectAll(api);
  const message = { conversationId, userId: 'alice', content: 'zebra' };
  position = (await api.call('POST', '/api/chat/messages', message)).body.position;
});

async function announce(): Promise<void> {
  const seq = await projectAll(api);
  for (let group = 0; group < PARTITION_GROUPS; group++) api.progress.announce({ group, seq, parked: [] });
}

const reads: [string, () => string, (answer: Answer) => unknown][] = [
  [
    'a list of conversations',
    () => '/api/chat/conversations?userId=alice&limit=1',
    ({ body }) => body.conversations[0].lastMessage?.content ?? null,
  ],
  [
    'a search',
    () => `/api/chat/search?userId=alice&q=zebra&conversationId=${conversationId}`,
    ({ body }) => body.messages[0]?.content ?? null,
  ],
];

it.each(reads)('%s waits until the read models are there', async (_what, path, shown) => {
  expect(shown(await api.call('GET', path()))).toBe(null);
  const reading = api.call('GET', `${path()}&position=${position}`);
  await announce();
  expect(shown(await reading)).toBe('zebra');
});

it.each(reads)('%s answers with what there is when they do not come in time', async (_what, path, shown) => {
  api.progress.patienceMs = null;
  const startedMs = performance.now();
  const answer = await api.call('GET', `${path()}&position=${position}`);
  expect([answer.status, shown(answer)]).toEqual([200, null]);
  expect(performance.now() - startedMs).toBeGreaterThan(1_900);
});

it.each(reads)('%s refuses a position of another log, and one that is none', async (_what, path) => {
  const other = await api.call('GET', `${path()}&position=e123:1`);
  expect([other.status, other.body.code]).toEqual([409, 'conflict']);
  const none = await api.call('GET', `${path()}&position=1`);
  expect([none.status, none.body.errors[0].path]).toEqual([400, 'position']);
});

it.each(reads)('%s does not wait for what is not in the log any more', async (_what, path) => {
  const startedMs = performance.now();
  const answer = await api.call('GET', `${path()}&position=memory:999999`);
  expect(answer.status).toBe(200);
  expect(performance.now() - startedMs).toBeLessThan(PATIENCE_MS / 2);
});
