import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import WebSocket from 'ws';
import { createConversation } from '../../../src/application/commands/createConversation.ts';
import { postMessage } from '../../../src/application/commands/postMessage.ts';
import { freePort } from '../../../src/platform/embedded/keptPort.ts';
import { applicationOn } from '../../support/application/application.ts';
import { ChatClient } from '../../support/edge/chatClient.ts';
import { startRealEdge } from '../../support/edge/realEdge.ts';
import { type OpenedLog, openTestLog } from '../../support/eventlog/jetStreamLog.ts';
import { startTestNats } from '../../support/servers/nats.ts';
import type { TestServer } from '../../support/servers/testServer.ts';
import { waitFor } from '../../support/time/waitFor.ts';

let nats: TestServer;
let opened: OpenedLog;
beforeAll(async () => {
  nats = await startTestNats();
  opened = await openTestLog(nats.url);
});
afterAll(async () => {
  await opened.close();
  await nats.stop();
});

async function newConversation(): Promise<string> {
  const wanted = { userId: 'alice', title: null, visibility: 'open', participantIds: [] } as const;
  return (await createConversation(applicationOn(opened), wanted)).conversationId;
}

const say = (conversationId: string, content: string) =>
  postMessage(applicationOn(opened), { conversationId, userId: 'alice', content });

const answerOf = async (socket: WebSocket) => {
  const [, response] = await once(socket, 'unexpected-response');
  let body = '';
  for await (const chunk of response) body += chunk;
  return { status: response.statusCode, retryAfter: response.headers['retry-after'], body: JSON.parse(body) };
};

test('several edges share one port, and their clients one conversation', async () => {
  // A port that is shared must be named: uWebSockets.js keeps one that it was given freely (0) for itself.
  const port = await freePort();
  const first = await startRealEdge(opened, { config: { edgePort: port } });
  const second = await startRealEdge(opened, { config: { edgePort: port } });
  const conversationId = await newConversation();
  const url = () => `ws://127.0.0.1:${first.port}`;
  const clients = await Promise.all(
    Array.from({ length: 40 }, async (_, n) => {
      const client = new ChatClient(url, `user${n}`);
      await client.connect();
      await client.join(conversationId);
      return client;
    }),
  );
  expect(first.connections).toBeGreaterThan(0);
  expect(second.connections).toBeGreaterThan(0);
  const sent = await Promise.all(clients.map((client, n) => client.send(conversationId, `k${n}`, `hi ${n}`)));
  const seqs = sent.map(({ seq }) => Number(seq)).sort((a, b) => a - b);
  for (const client of clients) {
    await waitFor('everything that was said', () => client.lastSeq === seqs.at(-1));
    expect(client.events.slice(-40).map(({ seq }) => seq)).toEqual(seqs);
    client.drop();
  }
  await first.stop(1_000);
  await second.stop(1_000);
});

test('connections beyond the rate are refused before the upgrade, with the time to come back', async () => {
  const edge = await startRealEdge(opened, { config: { connectsPerSecondMax: 5 } });
  const url = `ws://127.0.0.1:${edge.port}/ws?userId=alice`;
  const sockets = Array.from({ length: 12 }, () => new WebSocket(url));
  const outcomes = await Promise.all(
    sockets.map((socket) => Promise.race([once(socket, 'open').then(() => null), answerOf(socket)])),
  );
  const refused = outcomes.filter((outcome) => outcome !== null);
  expect(refused.length).toBeGreaterThan(4);
  for (const { status, retryAfter, body } of refused) {
    expect([status, body.code, body.retryable]).toEqual([503, 'overloaded', true]);
    expect(Number(retryAfter)).toBe(Math.ceil(body.retryAfterMs / 1_000));
  }
  for (const socket of sockets) socket.terminate();
  await edge.stop(1_000);
});

test('an edge shows its health, readiness and metrics', async () => {
  const edge = await startRealEdge(opened);
  const get = (path: string) => fetch(`http://127.0.0.1:${edge.port}${path}`);
  const ready = await get('/health/ready');
  expect([ready.status, await ready.json()]).toMatchObject([
    200,
    { status: 'OK', draining: false, connections: 0, liveFeed: { lagEvents: 0, restarts: 0 } },
  ]);
  const metrics = await get('/metrics');
  expect(metrics.headers.get('content-type')).toContain('text/plain');
  expect(await metrics.text()).toContain('chat_socket_connections{');
  expect((await get('/nothing')).status).toBe(404);
  await edge.stop(1_000);
});

test('a client that reads, but too slowly, is closed with 4008 and can resume', async () => {
  const megabyte = 1_024 ** 2;
  const edge = await startRealEdge(opened, {
    config: { backpressureBytesMax: 16 * megabyte },
    slowCheckMs: 50,
  });
  const conversationId = await newConversation();
  const socket = new WebSocket(`ws://127.0.0.1:${edge.port}/ws?userId=slow`);
  const seqs: number[] = [];
  socket.on('message', (data) => {
    const frame = JSON.parse(data.toString());
    if (frame.op === 'event') seqs.push(frame.seq);
  });
  await once(socket, 'open');
  socket.send(JSON.stringify({ op: 'join', id: 1, conversationId, after: 0 }));
  await waitFor('the join', () => seqs.length === 1);
  socket.pause();
  const closed = once(socket, 'close');
  await waitFor(
    'the edge to notice',
    async () => {
      await Promise.all(Array.from({ length: 25 }, () => say(conversationId, 'x'.repeat(8_000))));
      return edge.events.some(({ type }) => type === 'slowConsumer');
    },
    { timeoutMs: 300_000 },
  );
  socket.resume();
  const [code] = await closed;
  expect(code).toBe(4008);
  const resumed = new ChatClient(() => `ws://127.0.0.1:${edge.port}`, 'slow');
  await resumed.connect();
  const last = (await say(conversationId, 'last')).seq;
  await resumed.request({ op: 'join', conversationId, after: seqs.at(-1) ?? 0 });
  await waitFor('the rest', () => resumed.lastSeq === last);
  expect(resumed.events[0]?.prev).toBe(seqs.at(-1));
  resumed.drop();
  await edge.stop(1_000);
});
