import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import WebSocket from 'ws';
import { type EventStream, openEventStream } from '../../support/edge/eventStreams.ts';
import { type RealEdge, startRealEdge } from '../../support/edge/realEdge.ts';
import { startTestApi, type TestApi } from '../../support/http/httpApi.ts';
import { waitFor } from '../../support/time/waitFor.ts';

const CONNECTIONS_MAX = 2;

/** The two front doors of one process. */
let api: TestApi;
let edge: RealEdge;
let path: string;
beforeEach(async () => {
  api = await startTestApi({ connectionsMax: CONNECTIONS_MAX });
  edge = await startRealEdge(api, { gate: api.gate });
  const created = await api.call('POST', '/api/chat/conversations', { userId: 'alice', visibility: 'open' });
  path = `/api/chat/conversations/${created.body.conversation.id}/events`;
});
afterEach(() => api.stop());

const listen = (): Promise<EventStream> => openEventStream(`${api.url}${path}`);

async function connect(): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${edge.port}/ws?userId=bob`);
  await once(socket, 'open');
  return socket;
}

/** How the upgrade, the Socket.IO handshake and the event stream of newcomers are answered. */
async function newcomers(): Promise<(number | undefined)[]> {
  const socket = new WebSocket(`ws://127.0.0.1:${edge.port}/ws?userId=carol`);
  const [, upgrade] = await once(socket, 'unexpected-response');
  upgrade.resume();
  const handshake = await fetch(`http://127.0.0.1:${edge.port}/socket.io/?EIO=4&transport=polling`);
  const stream = await listen();
  stream.response.destroy();
  return [upgrade.statusCode, handshake.status, stream.response.statusCode];
}

test('sockets and event streams share CONNECTIONS_MAX', async () => {
  const socket = await connect();
  const stream = await listen();
  await waitFor('both to be counted', () => api.gate.connections === CONNECTIONS_MAX);
  expect(await newcomers()).toEqual([503, 503, 503]);
  socket.close();
  await waitFor('the socket to be gone', () => api.gate.connections === 1);
  const second = await listen();
  expect(second.response.statusCode).toBe(200);
  await waitFor('the second stream', () => api.gate.connections === CONNECTIONS_MAX);
  expect(await newcomers()).toEqual([503, 503, 503]);
  for (const { response } of [stream, second]) response.destroy();
  await edge.stop(1_000);
});

test('while one of them drains, neither lets anybody in', async () => {
  const before = await listen();
  expect(before.response.statusCode).toBe(200);
  before.response.destroy();
  await edge.stop(1_000);
  expect(api.gate.draining).toBe(true);
  const after = await listen();
  expect(after.response.statusCode).toBe(503);
  after.response.destroy();
});
