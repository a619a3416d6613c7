import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import WebSocket from 'ws';
import type { EventLog } from '../../../src/ports/eventLog.ts';
import { withLog } from '../../support/application/application.ts';
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

const POLLING = '/socket.io/?EIO=4&transport=polling';
const poll = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${edge.port}${path}`, init);

test('a handshake of Engine.IO is a connection, though no session follows', async () => {
  for (let n = 1; n <= CONNECTIONS_MAX; n++) expect((await poll(POLLING)).status).toBe(200);
  expect(api.gate.connections).toBe(CONNECTIONS_MAX);
  expect(await newcomers()).toEqual([503, 503, 503]);
  // Read as Engine.IO does: each of these asks for a new one.
  for (const sid of ['&sid=', '&sid=x&sid=', '&%73id=', '&sid'])
    expect([sid, (await poll(POLLING + sid)).status]).toEqual([sid, 503]);
  expect((await poll(`${POLLING}&sid=unknown`)).status).toBe(400);
  await edge.stop(1_000);
});

test('event streams that are asked for at once are not more than there is room for', async () => {
  // A process that has not read the conversation yet: all wait for the log, and none is open meanwhile.
  let goOn = () => {};
  const held = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const slow = (log: EventLog): EventLog =>
    withLog(log, { latest: (...which) => held.then(() => log.latest(...which)) });
  const cold = await startTestApi({
    connectionsMax: CONNECTIONS_MAX,
    log: () => slow(api.log),
    feed: api.log,
  });
  const asked = Array.from({ length: 5 }, () => openEventStream(`${cold.url}${path}`));
  await waitFor('all to be let in or refused', () => cold.gate.connections === CONNECTIONS_MAX);
  await Promise.race(asked);
  goOn();
  const streams = await Promise.all(asked);
  const statuses = streams.map(({ response }) => response.statusCode).sort();
  expect(statuses).toEqual([200, 200, 503, 503, 503]);
  for (const { response } of streams) response.destroy();
  await cold.stop();
  await edge.stop(1_000);
});

test.each([
  ['in one payload', ['40{"userId":"u1"}\x1e40{"userId":"u2"}\x1e40/,{"userId":"u3"}']],
  ['one after the other', ['40{"userId":"u1"}', '40{"userId":"u2"}']],
])('a connection has one session, whatever it asks for: %s', async (_how, payloads) => {
  const opened = await poll(POLLING);
  const { sid } = JSON.parse((await opened.text()).slice(1));
  for (const body of payloads) await poll(`${POLLING}&sid=${sid}`, { method: 'POST', body });
  await waitFor(
    'the connection to be gone',
    async () => (await poll(`${POLLING}&sid=${sid}`)).status === 400,
  );
  await waitFor('it not to be counted', () => api.gate.connections === 0);
  expect(edge.connections).toBe(0);
  expect(edge.events.filter(({ type }) => type === 'connected').length).toBeLessThanOrEqual(1);
  await edge.stop(1_000);
});

test('a session that ended, or was refused, may be followed by another one on the same connection', async () => {
  const opened = await poll(POLLING);
  const { sid } = JSON.parse((await opened.text()).slice(1));
  const session = `${POLLING}&sid=${sid}`;
  const say = async (body: string) => {
    await poll(session, { method: 'POST', body });
    return (await poll(session)).text();
  };
  expect(await say('40{}')).toContain('invalid_request');
  expect(await say('40{"userId":"u1"}')).toMatch(/^40\{"sid"/);
  expect(await say('40/admin,{}')).toContain('Invalid namespace');
  await poll(session, { method: 'POST', body: '41' });
  await waitFor('the session to end', () => edge.connections === 0);
  expect(await say('40{"userId":"u2"}')).toMatch(/^40\{"sid"/);
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
