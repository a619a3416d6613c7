import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { EventFeed } from '../../../src/ports/eventFeed.ts';
import { startTestApi, type TestApi } from '../../support/http/httpApi.ts';
import { createMigratedDatabase, projectAll } from '../../support/projections/historyDatabase.ts';
import type { TestDatabase } from '../../support/servers/postgres.ts';

/** Changes of messages whose sequence the client does not name, with a real history. */
let database: TestDatabase;
let api: TestApi;
let conversationId: string;
/** Events of the log that were read. */
let read: number;
beforeAll(async () => {
  database = await createMigratedDatabase();
  api = await startTestApi({ databaseUrl: database.url });
  const { feed } = api.application;
  const follow: EventFeed['follow'] = feed.follow.bind(feed);
  feed.follow = (options) =>
    follow({
      ...options,
      onEvent: (event) => {
        read += 1;
        options.onEvent(event);
      },
    });
});
afterAll(async () => {
  await api.stop();
  await database.drop();
});
beforeEach(async () => {
  const created = await api.call('POST', '/api/chat/conversations', { userId: 'alice' });
  conversationId = created.body.conversation.id;
  for (let n = 0; n < 50; n++) await post(`${n}`);
  await projectAll(api);
  read = 0;
});

const post = async (content: string): Promise<string> => {
  const body = { conversationId, userId: 'alice', content };
  return (await api.call('POST', '/api/chat/messages', body)).body.message.messageId;
};
const edit = (messageId: string) =>
  api.call('PATCH', `/api/chat/messages/${messageId}`, {
    conversationId,
    userId: 'alice',
    content: 'edited',
  });

it('finds by the history what it has, and reads of the log only what is newer', async () => {
  const page = await api.call(
    'GET',
    `/api/chat/conversations/${conversationId}/messages?userId=alice&limit=200`,
  );
  expect((await edit(page.body.messages[0].messageId)).status).toBe(200);
  expect(read).toBe(0);
  expect((await edit(await post('newer'))).status).toBe(200);
  expect((await edit(`m_${'x'.repeat(22)}`)).status).toBe(404);
  expect(read).toBeLessThan(10);
});

it('does not take a message of another conversation, or a history of another log, for an answer', async () => {
  const elsewhere = await post('here');
  await projectAll(api);
  const other = (await api.call('POST', '/api/chat/conversations', { userId: 'alice' })).body.conversation.id;
  const body = { conversationId: other, userId: 'alice', content: 'edited' };
  expect((await api.call('PATCH', `/api/chat/messages/${elsewhere}`, body)).status).toBe(404);
  const { pool } = api.database;
  await pool.query(`UPDATE projection_versions SET epoch = 'another' WHERE projection = 'history'`);
  await pool.query(`UPDATE messages SET seq = seq + 1000000 WHERE message_id = $1`, [elsewhere]);
  expect((await edit(elsewhere)).status).toBe(200);
  await pool.query(`UPDATE messages SET seq = seq - 1000000 WHERE message_id = $1`, [elsewhere]);
  await pool.query(`UPDATE projection_versions SET epoch = 'memory' WHERE projection = 'history'`);
});

it('looks behind a parked event of the conversation in the log, however far the history is', async () => {
  const late = await post('waits');
  const { pool } = api.database;
  const seq = await api.eventsInLog();
  await pool.query(`UPDATE projection_checkpoints SET seq = $1 WHERE projection = 'history'`, [seq]);
  await pool.query(
    `INSERT INTO parked_conversations (projection, version, conversation_id, partition_group, seq, error, attempts)
     SELECT 'history', version, $1, 0, $2, 'test', 1 FROM projection_versions
     WHERE projection = 'history' AND status = 'live'`,
    [conversationId, seq],
  );
  expect((await edit(late)).status).toBe(200);
});
