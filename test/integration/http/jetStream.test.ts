import { pathToFileURL } from 'node:url';
import { connect, type NatsConnection } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type JetStreamLog, openJetStreamLog } from '../../../src/eventlog/jetstream/jetStreamLog.ts';
import { newEpoch } from '../../../src/platform/ids.ts';
import { startTestApi, type TestApi } from '../../support/http/httpApi.ts';
import { startTestNats } from '../../support/servers/nats.ts';
import type { TestServer } from '../../support/servers/testServer.ts';
import { waitFor } from '../../support/time/waitFor.ts';

let nats: TestServer;
const connections: NatsConnection[] = [];
const logs: JetStreamLog[] = [];
const apis: TestApi[] = [];

/** The API of a process of its own: its own connection, log and cache. */
async function startProcess(): Promise<TestApi> {
  const connection = await connect({ servers: nats.url });
  connections.push(connection);
  const log = await openJetStreamLog({
    connection,
    definition: pathToFileURL(`${process.cwd()}/nats/streams/CHAT_EVENTS.json`),
    settings: { maxBytes: 64 * 1_024 ** 2, replicas: 1 },
    publisher: {
      windowMax: 256,
      queueMax: 1_024,
      queueBytesMax: 1_024 ** 2,
      ackTimeoutMs: 500,
      deadlineMs: 6_000,
    },
    makeEpoch: newEpoch,
  });
  logs.push(log);
  const api = await startTestApi({ log: () => log, feed: log });
  apis.push(api);
  return api;
}

let one: TestApi;
let other: TestApi;
beforeAll(async () => {
  nats = await startTestNats();
  one = await startProcess();
  other = await startProcess();
});
afterAll(async () => {
  await Promise.all(apis.map((api) => api.stop()));
  await Promise.all(logs.map((log) => log.close(1_000)));
  await Promise.all(connections.map((connection) => connection.close()));
  await nats.stop();
});

describe('two processes on one JetStream', () => {
  it('agree on conversations and messages, and a repeat is a repeat wherever it arrives', async () => {
    const created = await one.call('POST', '/api/chat/conversations', {
      userId: 'alice',
      participantIds: ['bob'],
    });
    const conversationId = created.body.conversation.id;
    const message = { conversationId, userId: 'bob', content: 'hello', clientMessageId: 'k1' };
    const first = await other.call('POST', '/api/chat/messages', message);
    expect([first.status, first.body.duplicate]).toEqual([201, false]);
    const repeat = await one.call('POST', '/api/chat/messages', message);
    expect(repeat.status).toBe(200);
    expect(repeat.body).toEqual({ ...first.body, duplicate: true });
    const reused = await one.call('POST', '/api/chat/messages', { ...message, content: 'changed' });
    expect([reused.status, reused.body.code]).toEqual([409, 'client_message_id_reused']);
  });

  it('find a message by its id alone to edit it', async () => {
    const created = await one.call('POST', '/api/chat/conversations', {
      userId: 'alice',
      visibility: 'open',
    });
    const mine = { conversationId: created.body.conversation.id, userId: 'bob' };
    const { message } = (await one.call('POST', '/api/chat/messages', { ...mine, content: 'a' })).body;
    const path = `/api/chat/messages/${message.messageId}`;
    expect((await other.call('PATCH', path, { ...mine, content: 'b' })).status).toBe(200);
    const missing = await other.call('DELETE', '/api/chat/messages/m_0000000000000000000000', mine);
    expect([missing.status, missing.body.code]).toEqual([404, 'not_found']);
  });

  it('answer in bounded time while the log hangs, and go on when it is back', async () => {
    const body = { userId: 'alice' };
    nats.freeze();
    const [health, created] = await Promise.all([
      one.call('GET', '/health/stream'),
      other.call('POST', '/api/chat/conversations', body),
    ]);
    expect([health.status, health.body.status]).toEqual([503, 'ERROR']);
    expect([created.status, created.body.code]).toEqual([504, 'unknown_outcome']);
    nats.thaw();
    await waitFor('it to be back', async () => (await one.call('GET', '/health/stream')).status === 200);
    const again = () => other.call('POST', '/api/chat/conversations', body);
    await waitFor('a conversation', async () => (await again()).status === 201);
  });
});
