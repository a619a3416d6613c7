import { afterAll, beforeAll, expect, test } from 'vitest';
import { ReceiptsWriter } from '../../../projections/receipts/receiptsWriter.ts';
import { migrate } from '../../../src/platform/postgres/migrations/migrate.ts';
import type { ReceiptLog } from '../../../src/ports/receipts.ts';
import { openTestReceipts } from '../../support/eventlog/jetStreamReceipts.ts';
import { startTestApi, type TestApi } from '../../support/http/httpApi.ts';
import {
  createMigratedDatabase,
  migrationsDirectory,
  projectAll,
} from '../../support/projections/historyDatabase.ts';
import { startTestNats } from '../../support/servers/nats.ts';
import { startTestPostgres, type TestDatabase } from '../../support/servers/postgres.ts';
import { waitFor } from '../../support/time/waitFor.ts';

const PATH = '/api/chat/conversations';
let database: TestDatabase;
let api: TestApi;
let writer: ReceiptsWriter;
const faults: unknown[] = [];

const startWriter = (receipts: ReceiptLog, target: TestApi) => {
  const started = new ReceiptsWriter({
    receipts,
    pool: target.database.pool,
    onFault: (error) => faults.push(error),
  });
  started.start();
  return started;
};

beforeAll(async () => {
  database = await createMigratedDatabase();
  api = await startTestApi({ databaseUrl: database.url });
  writer = startWriter(api.receipts, api);
});
afterAll(async () => {
  await writer.stop();
  await api.stop();
  await database.drop();
});

async function conversationWith(messages: number, target = api) {
  const created = await target.call('POST', PATH, { userId: 'alice', participantIds: ['bob', 'carol'] });
  const conversationId: string = created.body.conversation.id;
  const seqs: number[] = [];
  for (let n = 0; n < messages; n++) {
    const body = { conversationId, userId: 'alice', content: `message ${n}` };
    seqs.push((await target.call('POST', '/api/chat/messages', body)).body.seq);
  }
  await projectAll(target);
  return { conversationId, seqs };
}

const read = (conversationId: string, userId: string, seq: number | undefined, target = api) =>
  target.call('PUT', `${PATH}/${conversationId}/read`, { userId, seq });

async function listed(conversationId: string, userId: string, target = api): Promise<number> {
  const { body } = await target.call('GET', `${PATH}?userId=${userId}`);
  return body.conversations.find(({ id }: { id: string }) => id === conversationId).unreadCount;
}

test('reading counts down what is unread, at once in the answer and soon in the list', async () => {
  const { conversationId, seqs } = await conversationWith(10);
  expect(await listed(conversationId, 'bob')).toBe(10);
  expect((await read(conversationId, 'bob', seqs[3])).body).toEqual({ unreadCount: 6 });
  await waitFor('the list', async () => (await listed(conversationId, 'bob')) === 6);
  expect((await read(conversationId, 'bob', seqs[1])).body).toEqual({ unreadCount: 6 });
  expect((await read(conversationId, 'bob', seqs[9])).body).toEqual({ unreadCount: 0 });
  await waitFor('the list', async () => (await listed(conversationId, 'bob')) === 0);
  expect(await listed(conversationId, 'carol')).toBe(10);
  expect(await listed(conversationId, 'alice')).toBe(0);
});

test('who answers has read what was there, also without a receipt', async () => {
  const { conversationId, seqs } = await conversationWith(4);
  const body = { conversationId, userId: 'bob', content: 'an answer' };
  await api.call('POST', '/api/chat/messages', body);
  await projectAll(api);
  expect(await listed(conversationId, 'bob')).toBe(0);
  expect((await read(conversationId, 'bob', seqs[0])).body).toEqual({ unreadCount: 0 });
});

test.each([
  [{ userId: 'bob' }],
  [{ userId: 'bob', seq: -1 }],
  [{ userId: 'bob', seq: '7' }],
  [{ userId: 'bob', seq: 1.5 }],
  [{ seq: 1 }],
  [{ userId: 'bob', seq: 1, more: 1 }],
])('the body %j is refused', async (body) => {
  const { conversationId } = await conversationWith(1);
  const answer = await api.call('PUT', `${PATH}/${conversationId}/read`, body);
  expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
});

test('outsiders get 404', async () => {
  const { conversationId, seqs } = await conversationWith(1);
  expect((await read(conversationId, 'mallory', seqs[0])).status).toBe(404);
});

test('receipts that come again, in any order, change nothing; a new incarnation of the stream is read from its start', async () => {
  const nats = await startTestNats();
  const first = await openTestReceipts(nats.url);
  const { conversationId, seqs } = await conversationWith(5);
  const at = '2026-11-23T10:30:15.123Z';
  const mark = (opened: typeof first, seq: number | undefined) =>
    opened.receipts.mark({ conversationId, userId: 'bob', seq: seq ?? 0, at });
  const replaying = startWriter(first.receipts, api);
  await mark(first, seqs[3]);
  await waitFor('the receipt', async () => (await listed(conversationId, 'bob')) === 1);
  await mark(first, seqs[1]);
  await waitFor('the older one', async () => {
    const { rows } = await api.database.pool.query('SELECT receipt_seq FROM read_receipts_checkpoint');
    return Number(rows[0]?.receipt_seq) === 2;
  });
  expect(await listed(conversationId, 'bob')).toBe(1);
  await replaying.stop();
  const manager = await first.connection.jetstreamManager();
  await manager.streams.delete('CHAT_RECEIPTS');
  const second = await openTestReceipts(nats.url);
  await mark(second, seqs[4]);
  const anew = startWriter(second.receipts, api);
  await waitFor('the receipt of the new stream', async () => (await listed(conversationId, 'bob')) === 0);
  await anew.stop();
  await first.close();
  await second.close();
  await nats.stop();
});

test('without the database receipts are taken, and written when it is back', async () => {
  const postgres = await startTestPostgres();
  await migrate({ url: postgres.url, directory: migrationsDirectory });
  const target = await startTestApi({ databaseUrl: `${postgres.url}?connection_limit=4&pool_timeout=1` });
  const { conversationId, seqs } = await conversationWith(5, target);
  const resilient = startWriter(target.receipts, target);
  await postgres.kill9();
  faults.length = 0;
  expect((await read(conversationId, 'bob', seqs[2], target)).body).toEqual({ unreadCount: null });
  await waitFor('the writer to notice', () => faults.length > 0);
  await postgres.restart();
  await waitFor('the receipt', async () => (await listed(conversationId, 'bob', target)) === 2);
  await resilient.stop();
  await target.stop();
  await postgres.stop();
});
