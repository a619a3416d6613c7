import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import WebSocket from 'ws';
import { createConversation } from '../../../src/application/commands/createConversation.ts';
import { applicationOn } from '../../support/application/application.ts';
import { ChatClient } from '../../support/edge/chatClient.ts';
import { type RealEdge, startRealEdge } from '../../support/edge/realEdge.ts';
import { type OpenedLog, openTestLog } from '../../support/eventlog/jetStreamLog.ts';
import { startTestNats } from '../../support/servers/nats.ts';
import type { TestServer } from '../../support/servers/testServer.ts';
import { waitFor } from '../../support/time/waitFor.ts';

let nats: TestServer;
let opened: OpenedLog;
let edge: RealEdge;

const openEdge = (log: OpenedLog, backpressureBytesMax = 1_024 ** 2) =>
  startRealEdge(log, { config: { backpressureBytesMax } });

beforeAll(async () => {
  nats = await startTestNats();
  opened = await openTestLog(nats.url);
  edge = await openEdge(opened, 64 * 1_024);
});

afterAll(async () => {
  await edge.stop(1_000);
  await opened.close();
  await nats.stop();
  expect(edge.faults).toEqual([]);
});

const urlOf = (server: RealEdge) => () => `ws://127.0.0.1:${server.port}`;

async function newConversation(): Promise<string> {
  const request = { userId: 'alice', title: null, visibility: 'open', participantIds: [] } as const;
  return (await createConversation(applicationOn(opened), request)).conversationId;
}

async function connected(userId: string, server = edge): Promise<ChatClient> {
  const client = new ChatClient(urlOf(server), userId);
  await client.connect();
  return client;
}

/** How an upgrade is answered that is refused. */
async function refusal(path: string, protocols: string[] = []): Promise<{ status: number; body: string }> {
  const socket = new WebSocket(`${urlOf(edge)()}${path}`, protocols);
  const [, response] = await once(socket, 'unexpected-response');
  let body = '';
  for await (const chunk of response) body += chunk;
  return { status: response.statusCode, body };
}

/** The code with which the server closes a socket after `act`. */
async function closeCode(act: (socket: WebSocket) => void): Promise<number> {
  const socket = new WebSocket(`${urlOf(edge)()}/ws?userId=alice`);
  socket.on('error', () => {});
  await once(socket, 'open');
  act(socket);
  const [code] = await once(socket, 'close');
  return code;
}

test('what one says, all who follow see, on every edge, linked to what came before', async () => {
  const second = await openTestLog(nats.url);
  const otherEdge = await openEdge(second);
  const conversationId = await newConversation();
  const alice = await connected('alice');
  const bob = await connected('bob', otherEdge);
  await alice.join(conversationId);
  await bob.join(conversationId);
  for (let n = 0; n < 50; n++) await (n % 2 ? alice : bob).send(conversationId, `k${n}`, `message ${n}`);
  for (const client of [alice, bob]) {
    await waitFor('all events', () => client.events.length === 51);
    expect(client.events.map(({ prev }) => prev)).toEqual([
      0,
      ...client.events.slice(0, -1).map(({ seq }) => seq),
    ]);
  }
  expect(bob.events).toEqual(alice.events);
  alice.drop();
  bob.drop();
  await otherEdge.stop(1_000);
  await second.close();
});

test('an upgrade without a user, with a bad one or another subprotocol is refused before it happens', async () => {
  expect(await refusal('/ws')).toMatchObject({
    status: 400,
    body: expect.stringContaining('invalid_request'),
  });
  expect(await refusal('/ws?userId=%00')).toMatchObject({ status: 400 });
  expect(await refusal(`/ws?userId=${'x'.repeat(129)}`)).toMatchObject({ status: 400 });
  expect(await refusal('/ws?userId=alice', ['graphql-ws'])).toMatchObject({ status: 400 });
});

test('the subprotocol is confirmed when it is offered', async () => {
  const socket = new WebSocket(`${urlOf(edge)()}/ws?userId=alice`, ['chat.v1', 'other']);
  await once(socket, 'open');
  expect(socket.protocol).toBe('chat.v1');
  socket.terminate();
});

test('a frame over the limit closes with 1009, a binary one with 1003', async () => {
  expect(await closeCode((socket) => socket.send('x'.repeat(130 * 1_024)))).toBe(1009);
  expect(await closeCode((socket) => socket.send(Buffer.from([1, 2, 3])))).toBe(1003);
});

test('a frame beyond the hard limit or with invalid UTF-8 ends its own connection and nothing else', async () => {
  const bystander = await connected('bystander');
  expect(await closeCode((socket) => socket.send('x'.repeat(300 * 1_024)))).toBe(1006);
  expect(await closeCode((socket) => socket.send(Buffer.from([0xff, 0xfe]), { binary: false }))).toBe(1006);
  expect(await bystander.request({ op: 'ping' })).toMatchObject({ op: 'pong' });
  bystander.drop();
});

test('a client that stops reading is cut off; the others miss nothing', async () => {
  const conversationId = await newConversation();
  const reader = await connected('reader');
  await reader.join(conversationId);
  // A raw socket that is never read from: the kernel's buffers fill, then the edge's.
  const stuck = connect(edge.port, '127.0.0.1');
  stuck.on('error', () => {});
  stuck.write(
    'GET /ws?userId=stuck HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
  );
  await once(stuck, 'data');
  stuck.pause();
  const join = Buffer.from(JSON.stringify({ op: 'join', id: 1, conversationId }));
  stuck.write(Buffer.concat([Buffer.from([0x81, 0x80 | join.length, 0, 0, 0, 0]), join]));
  await waitFor('both to be connected', () => edge.connections >= 2);
  let sent = 0;
  await waitFor(
    'the stuck one to be cut off',
    async () => {
      const writes = Array.from({ length: 50 }, () => {
        sent += 1;
        return reader.send(conversationId, `k${sent}`, 'x'.repeat(7_000));
      });
      await Promise.all(writes);
      return edge.connections === 1;
    },
    { timeoutMs: 300_000, everyMs: 0 },
  );
  await waitFor('the reader to see all', () => reader.events.length === sent + 1);
  stuck.destroy();
  reader.drop();
});

test('a stopping edge announces it, answers requests in flight, and closes with 4012', async () => {
  const log = await openTestLog(nats.url);
  const stopping = await openEdge(log);
  const conversationId = await newConversation();
  const socket = new WebSocket(`${urlOf(stopping)()}/ws?userId=alice`);
  const frames: { op: string; id?: number; retryAfterMs?: number }[] = [];
  socket.on('message', (data) => frames.push(JSON.parse(data.toString())));
  await once(socket, 'open');
  for (let id = 1; id <= 50; id++) {
    socket.send(JSON.stringify({ op: 'send', id, conversationId, content: `last words ${id}` }));
  }
  await waitFor('the first answer', () => frames.length > 0);
  const closed = once(socket, 'close');
  await stopping.stop(60_000);
  const [code] = await closed;
  expect(code).toBe(4012);
  expect(frames.find(({ op }) => op === 'draining')?.retryAfterMs).toBeGreaterThan(0);
  expect(frames.filter(({ op }) => op === 'ack')).toHaveLength(50);
  await log.close();
});
