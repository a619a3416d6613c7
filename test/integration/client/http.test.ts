import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { ChatHttp } from '../../../client/src/index.ts';
import { C1 } from '../../support/domain/conversations.ts';
import { startTestApi, type TestApi } from '../../support/http/httpApi.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.stop());

const http = (userId = 'alice') => new ChatHttp({ url: `${api.url}/`, userId });

test('a conversation is made, and read by who may see it', async () => {
  const created = await http().createConversation({ title: 'Tea', participantIds: ['bob'] });
  expect(created).toMatchObject({ conversation: { title: 'Tea', visibility: 'members', archived: false } });
  expect(created.seq).toBeGreaterThan(0);
  expect(await http('bob').getConversation(created.conversation.id)).toEqual(created.conversation);
  await expect(http('eve').getConversation(created.conversation.id)).rejects.toMatchObject({
    name: 'ChatProblem',
    status: 404,
    code: 'not_found',
    retryable: false,
  });
});

test('a message sent twice with the same id is one message', async () => {
  const { conversation } = await http().createConversation();
  const first = await http().send(conversation.id, 'hello', { clientMessageId: 'k1' });
  const second = await http().send(conversation.id, 'hello', { clientMessageId: 'k1' });
  expect(first).toMatchObject({ level: 'accepted', duplicate: false, message: { content: 'hello' } });
  expect(second).toMatchObject({ duplicate: true, seq: first.seq, message: first.message });
  const answer = await http().send(conversation.id, 'hi', { replyTo: first.message.messageId });
  expect(answer.message.replyTo).toBe(first.message.messageId);
});

test('a database that is down is a problem that says when to try again', async () => {
  const problem = { name: 'ChatProblem', code: 'database_unavailable', retryable: true };
  await expect(http().listConversations({ limit: 10 })).rejects.toMatchObject(problem);
  await expect(http().listConversations()).rejects.toThrow(/same request may succeed later.*Request id/);
});

test('history is there without the database, and says where it is from', async () => {
  const { conversation } = await http().createConversation();
  await http().send(conversation.id, 'still here');
  const page = await http().history(conversation.id, { after: 0, limit: 10 });
  expect(page).toMatchObject({ source: 'log', hasMore: false, messages: [{ content: 'still here' }] });
});

test('what violates the schema says which field', async () => {
  const wrong = http().createConversation({ title: 'x'.repeat(201) });
  await expect(wrong).rejects.toMatchObject({ code: 'invalid_request', errors: [{ path: 'title' }] });
  await expect(http().send(C1, '')).rejects.toMatchObject({ name: 'InvalidArgumentError' });
  await expect(http().history('c_1')).rejects.toMatchObject({ name: 'InvalidArgumentError' });
  expect(() => new ChatHttp({ url: 'nowhere', userId: 'alice' })).toThrow(/^url must be/);
});

describe('when something else answers', () => {
  let server: Server;
  let answer: (res: ServerResponse) => void = () => {};
  beforeAll(async () => {
    server = createServer((_req, res) => answer(res)).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const other = (timeoutMs = 120_000) => {
    const { port } = server.address() as AddressInfo;
    return new ChatHttp({ url: `http://127.0.0.1:${port}`, userId: 'alice', timeoutMs });
  };

  it.each([
    [502, 'text/html', '<h1>Bad gateway</h1>'],
    [200, 'text/html', '<h1>Welcome</h1>'],
    [200, 'application/json', '{"conver'],
    [500, 'application/json', '{"message":"oops"}'],
  ])('says so: %i %s', async (status, type, body) => {
    answer = (res) => res.writeHead(status, { 'Content-Type': type }).end(body);
    await expect(other().getConversation(C1)).rejects.toMatchObject({
      name: 'UnexpectedAnswerError',
      status,
    });
  });

  it('gives up on a server that does not answer', async () => {
    answer = () => {};
    await expect(other(50).getConversation(C1)).rejects.toMatchObject({ name: 'HttpTimeoutError' });
  });

  it('gives up on an answer that does not end', async () => {
    answer = (res) => res.writeHead(200, { 'Content-Type': 'application/json' }).write('{');
    await expect(other(200).getConversation(C1)).rejects.toMatchObject({ name: 'HttpTimeoutError' });
  });

  it('ends when the caller says so, with the reason that the caller gave', async () => {
    const caller = new AbortController();
    const reason = new Error('the user went away');
    answer = () => caller.abort(reason);
    await expect(other().getConversation(C1, { signal: caller.signal })).rejects.toBe(reason);
    await expect(other().getConversation(C1, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it('tells a broken connection', async () => {
    answer = (res) => res.destroy();
    await expect(other().getConversation(C1)).rejects.toMatchObject({ name: 'HttpUnreachableError' });
  });
});
