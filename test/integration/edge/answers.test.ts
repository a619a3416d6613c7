import { once } from 'node:events';
import { connect } from 'node:net';
import { io } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { MemoryEventLog } from '../../../src/eventlog/memory/memoryEventLog.ts';
import { type RealEdge, startRealEdge } from '../../support/edge/realEdge.ts';
import { type OpenedLog, openTestLog } from '../../support/eventlog/jetStreamLog.ts';
import { startTestApi } from '../../support/http/httpApi.ts';
import { answersIn, exchange, type RawAnswer, readAll } from '../../support/http/rawHttp.ts';
import { startTestNats } from '../../support/servers/nats.ts';
import type { TestServer } from '../../support/servers/testServer.ts';
import { waitFor } from '../../support/time/waitFor.ts';

/** What surrounds every HTTP answer of the edge, whose pages may connect, and bodies and lines that are not HTTP. */
const PAGE = 'https://chat.example.com';
const POLL = '/socket.io/?EIO=4&transport=polling';
let nats: TestServer;
let opened: OpenedLog;
/** Nobody is kept out of this one … */
let edge: RealEdge;
/** … and only one page's visitors are let into this one. */
let listed: RealEdge;

beforeAll(async () => {
  nats = await startTestNats();
  opened = await openTestLog(nats.url);
  edge = await startRealEdge(opened);
  listed = await startRealEdge(opened, { config: { corsOrigins: [PAGE] } });
});
afterAll(async () => {
  await edge.stop(1_000);
  await listed.stop(1_000);
  await opened.close();
  await nats.stop();
  expect([...edge.faults, ...listed.faults]).toEqual([]);
});

const HANDSHAKE = [
  ...['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13'],
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

/** The answer to one request, however long the connection would be kept. */
async function ask(
  target: string,
  headers: string[] = [],
  method = 'GET',
  server = edge,
): Promise<RawAnswer> {
  const socket = connect(server.port, '127.0.0.1');
  socket.on('error', () => {});
  let raw = '';
  socket.on('data', (chunk) => {
    raw += chunk.toString('latin1');
  });
  socket.write([`${method} ${target} HTTP/1.1`, 'Host: a', ...headers, '', ''].join('\r\n'));
  await waitFor('the answer', () => raw.includes('\r\n\r\n'));
  socket.destroy();
  const [answer] = answersIn(raw);
  if (answer === undefined) throw new Error('There is no answer');
  return answer;
}

/** Headers that every answer has, whatever was asked. */
const SHARED =
  /^(content-security|cross-origin|referrer|strict-transport|x-content-type|x-dns|x-frame|x-permitted|cache-control)/;
const sharedOf = ({ headers }: Pick<RawAnswer, 'headers'>) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => SHARED.test(name)));

function expectProblem({ status, headers, body }: RawAnswer, wanted: number, code: string): void {
  const problem = JSON.parse(body);
  expect([status, problem.status, problem.code]).toEqual([wanted, wanted, code]);
  expect(headers['content-type']).toBe('application/problem+json; charset=utf-8');
  expect(problem).toMatchObject({ type: `urn:chat-backend:problem:${code}`, retryable: expect.any(Boolean) });
  expect(problem.requestId).toBe(headers['x-request-id']);
}

describe('every answer of the edge', () => {
  const kinds: [string, string, string[], string, number][] = [
    ['health', '/health', [], 'GET', 200],
    ['health without a body', '/health/ready', [], 'HEAD', 200],
    ['metrics', '/metrics', [], 'GET', 200],
    ['nothing there', '/api/chat/messages', [], 'GET', 404],
    ['another method', '/health', [], 'DELETE', 405],
    ['an upgrade without a user', '/ws', HANDSHAKE, 'GET', 400],
    ['a Socket.IO handshake', POLL, [], 'GET', 200],
    ['a Socket.IO session that is none', `${POLL}&sid=none`, [], 'GET', 400],
    ['a Socket.IO transport that is none', '/socket.io/?EIO=4&transport=pigeon', [], 'GET', 400],
    ['a Socket.IO upgrade of no session', `/socket.io/?EIO=4&transport=pigeon`, HANDSHAKE, 'GET', 400],
  ];

  test.each(kinds)(
    '%s: the headers of the API and the request’s id',
    async (_what, target, headers, method, status) => {
      const api = await startTestApi();
      const fromApi = sharedOf({ headers: Object.fromEntries((await api.call('GET', '/health')).headers) });
      await api.stop();
      expect(Object.keys(fromApi)).toHaveLength(10);
      const answer = await ask(target, [...headers, 'X-Request-Id: gw-7'], method);
      expect([answer.status, answer.headers['x-request-id']]).toEqual([status, 'gw-7']);
      expect(sharedOf(answer)).toEqual(fromApi);
      expect(Number(answer.headers['content-length'])).toBeGreaterThan(0);
      if (method === 'HEAD') expect(answer.body).toBe('');
      expect(Object.keys(answer.headers)).not.toContain('uwebsockets');
      const odd = await ask(target, [...headers, 'X-Request-Id: a b'], method);
      expect(odd.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    },
  );

  test('is a problem of the catalogue when it refuses', async () => {
    expectProblem(await ask('/nothing'), 404, 'not_found');
    const wrongMethod = await ask('/metrics', [], 'POST');
    expectProblem(wrongMethod, 405, 'method_not_allowed');
    expect(wrongMethod.headers.allow).toBe('GET, HEAD');
    for (const query of [
      '',
      '?userId=%FF',
      '?userId=%00',
      '?userId=%0d%0aX:y',
      '?userId=a&userId=b',
      '?userId=%',
    ]) {
      expectProblem(await ask(`/ws${query}`, HANDSHAKE), 400, 'invalid_request');
    }
    const full = await startRealEdge(opened, { config: { connectionsMax: 0 } });
    for (const [target, headers] of [
      ['/ws?userId=a', HANDSHAKE],
      [POLL, []],
    ] as const) {
      const refused = await ask(target, [...headers], 'GET', full);
      expectProblem(refused, 503, 'overloaded');
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
      expect(sharedOf(refused)).toEqual(sharedOf(await ask('/health', [], 'GET', full)));
    }
    await full.stop(500);
  });

  test('is a problem, too, when a page cannot be made, and says nothing of what is inside', async () => {
    const fault = new Error('secret of the house');
    const metrics = { contentType: 'text/plain', text: () => Promise.reject(fault) };
    const broken = await startRealEdge(opened, { metrics });
    const answer = await ask('/metrics', [], 'GET', broken);
    expectProblem(answer, 500, 'internal');
    expect(answer.body).not.toContain('secret');
    expect(sharedOf(answer)).toEqual(sharedOf(await ask('/health', [], 'GET', broken)));
    await broken.stop(500);
    expect(broken.faults).toEqual([fault]);
  });

  test.each([
    [60, 'max-age=60'],
    [0, undefined],
  ])('says of TLS what the edge is told: %d seconds', async (hstsSeconds, wanted) => {
    const told = await startRealEdge(opened, { config: { hstsSeconds } });
    for (const target of ['/health', POLL]) {
      const { headers } = await ask(target, [], 'GET', told);
      expect(headers['strict-transport-security']).toBe(wanted);
    }
    await told.stop(500);
  });

  test('names the request also when it is an upgrade', async () => {
    for (const target of ['/ws?userId=a', '/socket.io/?EIO=4&transport=websocket']) {
      const { status, headers } = await ask(target, [...HANDSHAKE, 'X-Request-Id: gw-8']);
      expect([status, headers['x-request-id']]).toEqual([101, 'gw-8']);
    }
  });
});

describe('pages of other origins', () => {
  const EXPOSED = 'Content-Disposition, ETag, Location, Preference-Applied, Retry-After, X-Request-Id';
  const preflight = ['Access-Control-Request-Method: POST', 'Access-Control-Request-Headers: x-request-id'];
  const refusedOrigins = ['https://evil.example', `${PAGE}.evil.example`, 'http://chat.example.com', 'null'];

  test.each(refusedOrigins)(
    '%s, which is not on the list, is refused before the upgrade with 403',
    async (origin) => {
      const headers = [`Origin: ${origin}`];
      listed.events.length = 0;
      expectProblem(await ask('/ws?userId=a', [...HANDSHAKE, ...headers], 'GET', listed), 403, 'forbidden');
      for (const more of [HANDSHAKE, []]) {
        const transport = more.length > 0 ? 'websocket' : 'polling';
        const target = `/socket.io/?EIO=4&transport=${transport}`;
        const answer = await ask(target, [...more, ...headers], 'GET', listed);
        expectProblem(answer, 403, 'forbidden');
        expect(answer.headers['access-control-allow-origin']).toBeUndefined();
        // Or a cache would give this answer to the page that may read it.
        expect(answer.headers.vary).toBe('Origin');
        expect(sharedOf(answer)).toEqual(sharedOf(await ask('/health', [], 'GET', listed)));
      }
      expect(listed.events.map((event) => 'reason' in event && event.reason)).toEqual(
        Array(3).fill('forbidden'),
      );
      expect(listed.connections).toBe(0);
    },
  );

  test('the page on the list, and clients that are no browser, connect by every transport', async () => {
    for (const origin of [PAGE, undefined]) {
      const headers: Record<string, string> = origin === undefined ? {} : { Origin: origin };
      const native = new WebSocket(`ws://127.0.0.1:${listed.port}/ws?userId=a`, { headers });
      await once(native, 'open');
      native.terminate();
      for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']]) {
        const socket = io(`http://127.0.0.1:${listed.port}`, {
          ...{ transports, auth: { userId: 'a' }, forceNew: true, reconnection: false },
          extraHeaders: headers,
        });
        await waitFor('the connection', () => socket.connected);
        socket.disconnect();
      }
    }
    await waitFor('nobody left', () => listed.connections === 0);
  });

  test('Socket.IO’s polling may be read by the page on the list, and preflights are answered', async () => {
    const answer = await ask(POLL, [`Origin: ${PAGE}`], 'GET', listed);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': PAGE,
      'access-control-expose-headers': EXPOSED,
      vary: 'Origin',
      'cross-origin-resource-policy': 'cross-origin',
    });
    const allowed = await ask(POLL, [`Origin: ${PAGE}`, ...preflight], 'OPTIONS', listed);
    expect(allowed.status).toBe(204);
    expect(allowed.headers).toMatchObject({
      'access-control-allow-origin': PAGE,
      'access-control-allow-methods': 'GET, POST',
      'access-control-max-age': '7200',
      'x-request-id': expect.any(String),
    });
    expect(allowed.headers['access-control-allow-headers']).toBe(
      'Content-Type, If-None-Match, Last-Event-ID, Prefer, Idempotency-Key, X-Request-Id, X-User-Id',
    );
    const stranger = await ask(POLL, ['Origin: https://evil.example', ...preflight], 'OPTIONS', listed);
    expect(stranger.headers['access-control-allow-origin']).toBeUndefined();
    expect(stranger.headers.vary).toBe('Origin');
  });

  test('may read Socket.IO’s polling from anywhere when any may', async () => {
    const open = await startRealEdge(opened, { config: { corsOrigins: '*' } });
    for (const [method, more] of [
      ['GET', []],
      ['OPTIONS', preflight],
    ] as const) {
      const { headers } = await ask(POLL, ['Origin: null', ...more], method, open);
      expect(headers).toMatchObject({
        'access-control-allow-origin': '*',
        'access-control-expose-headers': EXPOSED,
      });
      expect(headers['access-control-allow-credentials']).toBeUndefined();
    }
    await open.stop(500);
  });

  test('connect from anywhere when no list is set, but pages read no answers', async () => {
    for (const [method, more] of [
      ['GET', []],
      ['OPTIONS', preflight],
    ] as const) {
      const { headers } = await ask(POLL, [`Origin: ${PAGE}`, ...more], method);
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
    const socket = new WebSocket(`ws://127.0.0.1:${edge.port}/ws?userId=a`, { headers: { Origin: 'null' } });
    await once(socket, 'open');
    socket.terminate();
  });
});

describe('what is no proper request', () => {
  test.each([
    ['no HTTP', 'hello\r\n\r\n'],
    ['HTTP/1.0', 'GET /health HTTP/1.0\r\nHost: a\r\n\r\n'],
    ['the absolute form of a target', 'GET http://a/health HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a NUL in the path', 'GET /hea\0lth HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['lines that end in LF', 'GET /health HTTP/1.1\nHost: a\n\n'],
    [
      'two ways to say the length',
      'POST /health HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'a chunk size that is none',
      'POST /health HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc',
    ],
  ])('%s ends the connection with an error', async (_what, raw) => {
    expect(await exchange(edge.port, raw)).toMatch(/^HTTP\/1.1 [45]\d\d [\s\S]*Connection: close/);
  });

  test.each([POLL, '/health', '/nothing'])(
    'two lengths to %s end the connection, and nothing after them is answered',
    async (target) => {
      const lengths = 'Content-Length: 2\r\nContent-Length: 40';
      const raw = `POST ${target} HTTP/1.1\r\nHost: a\r\n${lengths}\r\n\r\n40GET /health HTTP/1.1\r\nHost: a\r\n\r\n`;
      expect(await exchange(edge.port, raw)).toBe('');
    },
  );

  test('a body that nobody reads is not waited for, and not taken for a request', async () => {
    const body = 'GET /health HTTP/1.1\r\nHost: a\r\n\r\n';
    for (const [target, status] of [
      ['/health', 200],
      ['/nothing', 404],
    ] as const) {
      for (const [length, sent] of [
        [body.length, body],
        [1_000_000, 'begun'],
      ] as const) {
        const raw = `GET ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${sent}`;
        const answers = answersIn(await exchange(edge.port, raw));
        expect(answers.map((answer) => answer.status)).toEqual([status]);
      }
    }
  });

  test('slow headers, and a connection on which nothing is asked, are closed by the edge', async () => {
    const slow = connect(edge.port, '127.0.0.1');
    slow.on('error', () => {});
    slow.write('GET /health HTTP/1.1\r\nX: ');
    const drip = setInterval(() => slow.write('a'), 500);
    const silent = connect(edge.port, '127.0.0.1');
    await Promise.all([readAll(slow), readAll(silent)]);
    clearInterval(drip);
  });
});

test('frames that are not as they should be are refused or end their connection; nothing is stored', async () => {
  const log = new MemoryEventLog();
  const own = await startRealEdge({ log });
  const answerTo = async (frame: string) => {
    const socket = new WebSocket(`ws://127.0.0.1:${own.port}/ws?userId=alice`);
    await once(socket, 'open');
    socket.send(frame);
    const [data] = await once(socket, 'message');
    socket.terminate();
    return JSON.parse(data.toString());
  };
  const C = 'c_000000000000000000000';
  const nested = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
  const send = (fields: object) =>
    JSON.stringify({ op: 'send', id: 1, conversationId: C, content: 'x', ...fields });
  for (const frame of [
    ...['', 'x', '{', '[]', 'null', '1', '"x"', nested, `{"op":"send","id":1,"content":${nested}}`],
    `{"op":"send","id":1,"conversationId":"${C}","content":"x","__proto__":{"a":1}}`,
    `{"op":"__proto__","id":1}`,
    `{"op":"toString","id":1}`,
    `{"op":"send","id":1,"conversationId":"${C}","content":"\\ud800"}`,
    ...[
      send({ id: 'one' }),
      send({ id: -1 }),
      send({ content: 7 }),
      send({ content: '' }),
      send({ extra: 1 }),
    ],
    ...[send({ content: 'a\0b' }), send({ content: 'x'.repeat(8_001) }), send({ constructor: {} })],
    ...['c_*', 'c_>', `${C}.`, `${C}\r\n`, `${C}\0`, '../etc', ''].map((conversationId) =>
      send({ conversationId }),
    ),
  ]) {
    const answer = await answerTo(frame);
    expect([frame.slice(0, 90), answer.op, answer.code]).toEqual([
      frame.slice(0, 90),
      'error',
      'invalid_request',
    ]);
  }
  expect((await log.status()).lastSeq).toBe(0);
  await own.stop(500);
  expect(own.faults).toEqual([]);
});

test('frames are not decompressed: a compressed one, which nobody agreed on, ends its connection', async () => {
  const socket = connect(edge.port, '127.0.0.1');
  socket.on('error', () => {});
  const offer = 'Sec-WebSocket-Extensions: permessage-deflate';
  socket.write(['GET /ws?userId=bomb HTTP/1.1', 'Host: a', ...HANDSHAKE, offer, '', ''].join('\r\n'));
  const [handshake] = await once(socket, 'data');
  expect(handshake.toString().toLowerCase()).not.toContain('sec-websocket-extensions');
  const read = readAll(socket);
  // RSV1, text, masked with zeros: what a deflated frame looks like.
  socket.write(Buffer.from([0xc1, 0x83, 0, 0, 0, 0, 0x4a, 0x4c, 0x04]));
  await read;
  await waitFor('nobody left', () => edge.connections === 0);
});
