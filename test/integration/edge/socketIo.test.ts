import { request } from 'node:http';
import { connect as connectTcp } from 'node:net';
import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createConversation } from '../../../src/application/commands/createConversation.ts';
import { postMessage } from '../../../src/application/commands/postMessage.ts';
import { ClientFrame } from '../../../src/contracts/frames/clientFrames.ts';
import { applicationOn } from '../../support/application/application.ts';
import { ChatClient } from '../../support/edge/chatClient.ts';
import { type RealEdge, startRealEdge } from '../../support/edge/realEdge.ts';
import { type OpenedLog, openTestLog } from '../../support/eventlog/jetStreamLog.ts';
import { answersIn, exchange } from '../../support/http/rawHttp.ts';
import { startTestNats } from '../../support/servers/nats.ts';
import type { TestServer } from '../../support/servers/testServer.ts';
import { waitFor } from '../../support/time/waitFor.ts';

let nats: TestServer;
let opened: OpenedLog;
let edge: RealEdge;

const application = () => applicationOn(opened);

beforeAll(async () => {
  nats = await startTestNats();
  opened = await openTestLog(nats.url);
  edge = await startRealEdge(opened, { config: { backpressureBytesMax: 64 * 1_024 } });
});

afterAll(async () => {
  await edge.stop(1_000);
  await opened.close();
  await nats.stop();
  expect(edge.faults).toEqual([]);
});

async function newConversation(): Promise<string> {
  const wanted = { userId: 'alice', title: null, visibility: 'open', participantIds: [] } as const;
  return (await createConversation(application(), wanted)).conversationId;
}

const say = async (conversationId: string, content: string) =>
  (await postMessage(application(), { conversationId, userId: 'alice', content })).seq;

interface Seen {
  readonly seq: number;
  readonly prev: number;
  readonly event: { readonly content?: string };
}

/** A stock client that remembers what it was sent. */
async function connected(transports: string[], userId = 'bob') {
  const socket = io(`http://127.0.0.1:${edge.port}`, {
    transports,
    auth: { userId },
    forceNew: true,
    reconnection: false,
  });
  const seen: Seen[] = [];
  socket.on('event', (event: Seen) => seen.push(event));
  await waitFor('the connection', () => socket.connected);
  return { socket, seen };
}

const ask = (socket: Socket, op: string, payload?: object): Promise<Record<string, unknown>> =>
  socket.timeout(5_000).emitWithAck(op, ...(payload === undefined ? [] : [payload]));

const TRANSPORTS = [[['websocket']], [['polling']], [['polling', 'websocket']]];

describe.each(TRANSPORTS)('a stock client over %j', (transports) => {
  test('joins from what it has seen, sends, and sees what comes, linked and in order', async () => {
    const conversationId = await newConversation();
    const [first, second] = [await say(conversationId, 'one'), await say(conversationId, 'two')];
    const { socket, seen } = await connected(transports);
    expect(await ask(socket, 'join', { conversationId, after: first })).toEqual({
      conversationId,
      head: second,
      epoch: opened.log.epoch,
    });
    const ack = await ask(socket, 'send', { conversationId, clientMessageId: 'k', content: 'three' });
    expect(ack).toMatchObject({ level: 'accepted', duplicate: false, seq: second + 1 });
    expect(await ask(socket, 'send', { conversationId, clientMessageId: 'k', content: 'three' })).toEqual({
      ...ack,
      duplicate: true,
    });
    const reused = { conversationId, clientMessageId: 'k', content: 'four' };
    expect(await ask(socket, 'send', reused)).toMatchObject({ error: { code: 'client_message_id_reused' } });
    await waitFor('both events', () => seen.length === 2);
    expect(seen).toMatchObject([
      { seq: second, prev: first, event: { content: 'two' } },
      { seq: second + 1, prev: second, event: { content: 'three' } },
    ]);
    expect(await ask(socket, 'leave', { conversationId })).toEqual({ conversationId });
    const unheard = await say(conversationId, 'not heard');
    await waitFor('the edge to have seen it', () => edge.position >= unheard);
    await ask(socket, 'join', { conversationId });
    const last = await say(conversationId, 'heard');
    await waitFor('the last event', () => seen.at(-1)?.seq === last);
    expect(seen.map(({ event }) => event.content)).toEqual(['two', 'three', 'heard']);
    socket.disconnect();
  });

  test.each([
    ['fly', {}],
    ['join', {}],
    ['join', { conversationId: 'c_*' }],
    ['join', 'text'],
    ['join', undefined],
    ['send', { conversationId: `c_${'a'.repeat(21)}`, content: '' }],
    ['send', { conversationId: `c_${'a'.repeat(21)}`, content: Buffer.from('binary') }],
    ['send', { conversationId: `c_${'a'.repeat(21)}`, content: 'x', id: 7 }],
    ['ping', { more: 1 }],
  ])('gets invalid_request for %s with %j, and goes on', async (op, payload) => {
    const { socket } = await connected(transports);
    const answer = await ask(socket, op, payload as object);
    expect(answer).toMatchObject({ error: { code: 'invalid_request', retryable: false } });
    expect(await ask(socket, 'ping')).toEqual({});
    socket.disconnect();
  });

  test('that names no valid user gets the reason with its connect_error', async () => {
    const url = `http://127.0.0.1:${edge.port}`;
    const socket = io(url, { transports, auth: { userId: '\0' }, forceNew: true, reconnection: false });
    const error = await new Promise<Error & { data?: object }>((resolve) =>
      socket.on('connect_error', resolve),
    );
    expect(error.data).toMatchObject({ code: 'invalid_request' });
    socket.disconnect();
  });
});

/** Arguments of an event that are not one payload, or none that its operation takes. */
const BAD_ARGUMENTS: readonly unknown[][] = [
  [null],
  [7],
  ['text'],
  [[]],
  [{ conversationId: 'c_*' }],
  [{ id: 1 }],
  [{ op: 'ping' }],
  [{ __proto__: null, more: 1 }],
  [{ conversationId: `c_${'a'.repeat(21)}`, content: 'x' }, { more: 1 }],
];

test('every event with a callback gets exactly one answer, whatever it is and whatever it says', async () => {
  const conversationId = await newConversation();
  const { socket } = await connected(['websocket']);
  const acknowledged: number[] = [];
  // Type 3: an acknowledgement.
  socket.io.on('packet', ({ type, id }) => void (Number(type) === 3 && acknowledged.push(Number(id))));
  const ask = (...args: [string, ...unknown[]]) => socket.timeout(10_000).emitWithAck(...args);
  expect(await ask('typing', { conversationId })).toEqual({});
  await ask('join', { conversationId });
  for (let n = 0; n < 3; n++) expect(await ask('typing', { conversationId })).toEqual({});
  const ops = [
    ...ClientFrame.options.map(({ shape }) => String(shape.op.value)),
    'fly',
    '__proto__',
    'message',
  ];
  const answers = await Promise.all(ops.flatMap((op) => BAD_ARGUMENTS.map((args) => ask(op, ...args))));
  for (const answer of answers) {
    expect(answer).toMatchObject({ error: { code: 'invalid_request', retryable: false } });
  }
  // What asks for no answer gets none, and what comes after it is answered.
  for (const op of ops) socket.emit(op, null);
  expect(await ask('ping')).toEqual({});
  expect(acknowledged).toHaveLength(answers.length + 6);
  expect(new Set(acknowledged).size).toBe(acknowledged.length);
  socket.disconnect();
});

test('clients of all transports see the same, also one that changes from polling to WebSocket meanwhile', async () => {
  const conversationId = await newConversation();
  const native = new ChatClient(() => `ws://127.0.0.1:${edge.port}`, 'carol');
  await native.connect();
  await native.join(conversationId);
  const others = await Promise.all(TRANSPORTS.map(([transports]) => connected(transports ?? [])));
  const upgrades = others.filter(({ socket }) => socket.io.engine.transport.name === 'polling');
  expect(upgrades.length).toBeGreaterThan(0);
  for (const { socket } of others) await ask(socket, 'join', { conversationId, after: 0 });
  const seqs: number[] = [];
  for (let n = 0; n < 300; n++) seqs.push(await say(conversationId, `${n}`));
  const events = () => native.events.map(({ seq, prev }) => [seq, prev]);
  await waitFor('the native client', () => native.lastSeq === seqs.at(-1));
  for (const { seen, socket } of others) {
    await waitFor('all events', () => seen.at(-1)?.seq === seqs.at(-1));
    expect(seen.map(({ seq, prev }) => [seq, prev])).toEqual(events());
    socket.disconnect();
  }
  native.drop();
});

test('typing reaches the others on every transport', async () => {
  const conversationId = await newConversation();
  const [webSocket, polling] = [await connected(['websocket'], 'bob'), await connected(['polling'], 'carol')];
  for (const { socket } of [webSocket, polling]) await ask(socket, 'join', { conversationId });
  const heard = new Promise((resolve) => polling.socket.on('typing', resolve));
  webSocket.socket.emit('typing', { conversationId });
  expect(await heard).toEqual({ conversationId, userId: 'bob' });
  webSocket.socket.disconnect();
  polling.socket.disconnect();
});

function get(path: string, method = 'GET', body?: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port: edge.port, path, method }, async (response) => {
      let text = '';
      for await (const chunk of response) text += chunk;
      resolve({ status: response.statusCode ?? 0, text });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

test('a session id that is unknown, or of a closed session, is refused', async () => {
  const open = await get('/socket.io/?EIO=4&transport=polling');
  const { sid } = JSON.parse(open.text.slice(1));
  expect((await get(`/socket.io/?EIO=4&transport=polling&sid=${sid}`, 'POST', '1')).text).toBe('ok');
  for (const stale of [sid, 'guessed', '__proto__', '']) {
    expect((await get(`/socket.io/?EIO=4&transport=polling&sid=${stale}`, 'POST', '40')).status).toBe(400);
  }
});

/** A poll whose body comes in chunks, without saying how long it is. */
function poll(query: string, chunks: readonly string[]): Promise<string> {
  const head = `POST /socket.io/?EIO=4&transport=polling&${query} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close`;
  const body = chunks.map((chunk) => `${Buffer.byteLength(chunk).toString(16)}\r\n${chunk}\r\n`).join('');
  return exchange(edge.port, Buffer.from(`${head}\r\n\r\n${body}0\r\n\r\n`));
}

test('a client may poll with bodies in chunks, as long as a frame may be', async () => {
  const open = await get('/socket.io/?EIO=4&transport=polling');
  const { sid } = JSON.parse(open.text.slice(1));
  const fresh = () => get(`/socket.io/?EIO=4&transport=polling&sid=${sid}`);
  expect(await poll(`sid=${sid}`, ['40', '{"userId":"bob"}'])).toMatch(/^HTTP\/1.1 200 OK[\s\S]*ok$/);
  expect((await fresh()).text).toMatch(/^40\{"sid"/);
  for (const chunks of [['420["ping"]'], [...'421["typing",{}]']]) {
    expect(await poll(`sid=${sid}`, chunks)).toMatch(/ok$/);
    expect((await fresh()).text).toMatch(/^43[01]\[/);
  }
  const [large] = answersIn(await poll(`sid=${sid}`, ['4', 'x'.repeat(131_072)]));
  expect([large?.status, JSON.parse(large?.body ?? '')]).toMatchObject([413, { code: 'payload_too_large' }]);
  // The session goes on.
  expect(await poll(`sid=${sid}`, ['422["ping"]'])).toMatch(/ok$/);
  const [stranger] = answersIn(await poll('sid=guessed', ['40']));
  expect(stranger?.status).toBe(400);
});

test('what Engine.IO refuses without a word is a problem of the catalogue', async () => {
  const open = await get('/socket.io/?EIO=4&transport=polling');
  const { sid } = JSON.parse(open.text.slice(1));
  const target = `/socket.io/?EIO=4&transport=polling&sid=${sid}`;
  const raw = `POST ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
  const [empty] = answersIn(await exchange(edge.port, raw));
  expect(empty?.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  expect([empty?.status, JSON.parse(empty?.body ?? '')]).toMatchObject([
    400,
    { code: 'invalid_request', status: 400 },
  ]);
});

test('a frame over the limit closes with 1009 and says so, and is counted as such', async () => {
  const { socket } = await connected(['websocket'], 'verbose');
  edge.events.length = 0;
  const closed = new Promise((resolve) =>
    socket.io.engine.on('close', (_reason, details) => resolve(details)),
  );
  socket.emit('send', { content: 'x'.repeat(131_072) });
  expect(await closed).toMatchObject({ context: { code: 1009, reason: 'frames have at most 131072 bytes' } });
  await waitFor('its end', () =>
    edge.events.some((event) => event.type === 'disconnected' && event.reason === 'too_large'),
  );
  socket.disconnect();
});

test('a body over the limit ends its own session only', async () => {
  const conversationId = await newConversation();
  const { socket, seen } = await connected(['websocket']);
  await ask(socket, 'join', { conversationId });
  const open = await get('/socket.io/?EIO=4&transport=polling');
  const { sid } = JSON.parse(open.text.slice(1));
  const large = await get(
    `/socket.io/?EIO=4&transport=polling&sid=${sid}`,
    'POST',
    'x'.repeat(300_000),
  ).catch(() => ({ status: 413 }));
  expect(large.status).toBe(413);
  const seq = await say(conversationId, 'still here');
  await waitFor('the event', () => seen.at(-1)?.seq === seq);
  socket.disconnect();
});

test('clients that vanish in the middle of a handshake or a poll do no harm', async () => {
  const open = await get('/socket.io/?EIO=4&transport=polling');
  const { sid } = JSON.parse(open.text.slice(1));
  const requests = [
    'GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n',
    `GET /socket.io/?EIO=4&transport=polling&sid=${sid} HTTP/1.1\r\nHost: x\r\n\r\n`,
    `POST /socket.io/?EIO=4&transport=polling&sid=${sid} HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nhalf`,
    'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
  ];
  for (let round = 0; round < 25; round++) {
    for (const text of requests) {
      const socket = connectTcp(edge.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.on('connect', () => socket.write(text, () => socket.resetAndDestroy()));
    }
  }
  const { socket } = await connected(['polling', 'websocket']);
  expect(await ask(socket, 'ping')).toEqual({});
  socket.disconnect();
  await waitFor('nobody left', () => edge.connections === 0);
  expect(edge.realtime.context.hub.channels).toBe(0);
});

/** The kernel's buffers of a socket that is not read have to be full first: megabytes, four seconds where nothing else runs. */
const PATIENT = { timeoutMs: 300_000 };

test('a client that stops polling or reading is cut off and counted as slow, and the others miss nothing', async () => {
  const conversationId = await newConversation();
  const healthy = await connected(['websocket']);
  await ask(healthy.socket, 'join', { conversationId });
  const stuck = await connected(['websocket'], 'stuck');
  await ask(stuck.socket, 'join', { conversationId });
  // Stops reading what comes in, as a frozen phone does.
  const raw = (stuck.socket.io.engine.transport as unknown as { ws: { _socket: { pause(): void } } }).ws;
  raw._socket.pause();
  const polling = await connected(['polling'], 'lazy');
  await ask(polling.socket, 'join', { conversationId });
  polling.socket.io.engine.transport.pause(() => {});
  const { events } = edge;
  events.length = 0;
  let sent = 0;
  await waitFor(
    'both to be closed',
    async () => {
      const said = Array.from({ length: 20 }, () => say(conversationId, 'x'.repeat(8_000)));
      sent += (await Promise.all(said)).length;
      return (
        new Set(events.filter(({ type }) => type === 'slowConsumer').map((e) => 'userId' in e && e.userId))
          .size === 2
      );
    },
    PATIENT,
  );
  await waitFor('the healthy one', () => healthy.seen.length === sent, PATIENT);
  await waitFor('the two to be gone', () => edge.connections === 1);
  const reasons = events.flatMap((event) => (event.type === 'disconnected' ? [event.reason] : []));
  expect(reasons).toEqual(['slow_consumer', 'slow_consumer']);
  for (const { socket } of [healthy, stuck, polling]) socket.disconnect();
});
