import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { io } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MemoryEventLog } from '../../../src/eventlog/memory/memoryEventLog.ts';
import { aloneOnline } from '../../support/edge/aloneOnline.ts';
import { type RealEdge, startRealEdge } from '../../support/edge/realEdge.ts';

/** Who a connection is of when a gateway names the user in a header. */
const HEADER = 'X-Gateway-User';

let edge: RealEdge;
let open: RealEdge;
/** Whose connections were opened, in order. */
const opened: string[] = [];
const presence = { ...aloneOnline().presence, connected: (userId: string) => void opened.push(userId) };
beforeAll(async () => {
  const log = new MemoryEventLog();
  edge = await startRealEdge({ log }, { presence, config: { trustedUserHeader: HEADER } });
  open = await startRealEdge({ log }, { presence });
});
afterAll(async () => {
  for (const server of [edge, open]) {
    await server.stop(1_000);
    expect(server.faults).toEqual([]);
  }
});

type Headers = Readonly<Record<string, string | string[]>>;

/** Who was connected, or the code with which the connection was refused. */
type Connect = (on: RealEdge, userId: string | null, headers: Headers) => Promise<string>;

/** As on the wire: what gateways send is UTF-8, what Node sends is Latin-1. */
const onTheWire = (headers: Headers): Headers =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value : Buffer.from(value).toString('latin1'),
    ]),
  );

const connectNative: Connect = (on, userId, headers) => {
  const query = userId === null ? '' : `?userId=${userId}`;
  const upgrade = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' };
  const key = { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==' };
  const path = `/ws${query}`;
  const asked = request({ port: on.port, path, headers: { ...upgrade, ...key, ...onTheWire(headers) } });
  return new Promise((resolve, reject) => {
    asked.on('upgrade', (_response, socket) => {
      socket.destroy();
      resolve(opened.at(-1) ?? '');
    });
    asked.on('response', (response: IncomingMessage) => {
      void text(response).then((body) => resolve(JSON.parse(body).code), reject);
    });
    asked.on('error', reject).end();
  });
};

const connectSocketIo =
  (transport: 'polling' | 'websocket', where: 'auth' | 'query'): Connect =>
  (on, userId, headers) => {
    const socket = io(`http://127.0.0.1:${on.port}`, {
      transports: [transport],
      ...(userId !== null && { [where]: { userId } }),
      extraHeaders: onTheWire(headers) as Record<string, string>,
      forceNew: true,
      reconnection: false,
    });
    return new Promise<string>((resolve) => {
      socket.on('connect', () => resolve(opened.at(-1) ?? ''));
      socket.on('connect_error', (error: Error & { data?: { code: string } }) =>
        resolve(error.data?.code ?? 'no session'),
      );
    }).finally(() => socket.disconnect());
  };

const WAYS: readonly (readonly [string, Connect])[] = [
  ['a native WebSocket', connectNative],
  ['Socket.IO over long-polling, by auth', connectSocketIo('polling', 'auth')],
  ['Socket.IO over long-polling, by its query', connectSocketIo('polling', 'query')],
  ['Socket.IO over WebSocket', connectSocketIo('websocket', 'auth')],
];

describe.each(WAYS)('%s', (_way, connect) => {
  test.each([
    ['nobody', null],
    ['the same', 'alice'],
  ])('is of the user that the gateway names when the client names %s', async (_whom, userId) => {
    expect(await connect(edge, userId, { [HEADER]: 'alice' })).toBe('alice');
  });

  test.each([
    ['another user than the gateway', 'bob', { [HEADER]: 'alice' }],
    ['somebody where the gateway names nobody', 'bob', {}],
    ['somebody where the gateway says that there is nobody', 'bob', { [HEADER]: '' }],
    ['somebody in a header that nobody trusts', null, { 'X-User-Id': 'bob' }],
    ['somebody beyond ASCII, whose name uWebSockets.js may cut', null, { [HEADER]: 'zoëy' }],
    ['what is no user id', null, { [HEADER]: 'x'.repeat(129) }],
    ['nobody at all', null, {}],
  ])('is refused when it names %s', async (_what, userId, headers) => {
    const before = opened.length;
    expect(await connect(edge, userId, headers)).toBe('invalid_request');
    expect(opened.length).toBe(before);
  });

  test('without a trusted header is of the user that the client names, whatever headers say', async () => {
    expect(await connect(open, 'bob', { [HEADER]: 'alice', 'X-User-Id': 'alice' })).toBe('bob');
  });
});

test.each([
  ['/ws', { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==' }],
  ['/socket.io/?EIO=4&transport=polling', {}],
  ['/socket.io/?EIO=4&transport=polling&sid=', {}],
])('a header that is there twice is refused at %s: nobody knows which counts', async (path, headers) => {
  const asked = request({ port: edge.port, path, headers: { ...headers, [HEADER]: ['alice', 'bob'] } });
  const body = await new Promise<string>((resolve, reject) => {
    asked.on('response', (response: IncomingMessage) => void text(response).then(resolve, reject));
    asked.on('error', reject).end();
  });
  expect(JSON.parse(body)).toMatchObject({
    code: 'invalid_request',
    detail: `${HEADER} must be given once.`,
  });
});
