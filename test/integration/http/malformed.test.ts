import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../../support/http/httpApi.ts';
import { answersIn, exchange, readAll } from '../../support/http/rawHttp.ts';
import { waitFor } from '../../support/time/waitFor.ts';

/** Requests that no HTTP library sends, byte for byte, to the real API: what is answered, and that nothing is stored. */
const MESSAGES = '/api/chat/messages';
let api: TestApi;
let conversationId: string;
let eventsBefore: number;

beforeAll(async () => {
  api = await startTestApi();
  const body = { userId: 'alice', visibility: 'open' };
  conversationId = (await api.call('POST', '/api/chat/conversations', body)).body.conversation.id;
});
afterAll(() => api.stop());
beforeEach(async () => {
  eventsBefore = await api.eventsInLog();
});
afterEach(async () => {
  expect(await api.eventsInLog()).toBe(eventsBefore);
  expect(api.logged.filter(({ level }) => level === 50)).toEqual([]);
});

const good = () => JSON.stringify({ conversationId, userId: 'alice', content: 'must not get in' });

/** A POST of `body` with these header lines, and what follows it on the connection. */
const post = (headers: string[], body: string) =>
  [`POST ${MESSAGES} HTTP/1.1`, 'Host: a', 'Content-Type: application/json', ...headers, '', body].join(
    '\r\n',
  );
const chunked = (body: string) => `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
const smuggled = () => post([`Content-Length: ${good().length}`, 'Connection: close'], good());

/** One refusal, a problem of the catalogue, and the end of the connection. */
async function expectRefused(raw: string, status: number, code: string): Promise<void> {
  const answers = answersIn(await exchange(api.port, raw));
  expect(answers.map((answer) => answer.status)).toEqual([status]);
  const [answer] = answers;
  if (answer === undefined) throw new Error('There is no answer');
  const { headers, body } = answer;
  expect(headers['content-type']).toBe('application/problem+json; charset=utf-8');
  expect(headers).toMatchObject({ connection: 'close', 'x-content-type-options': 'nosniff' });
  const problem = JSON.parse(body);
  expect(problem).toMatchObject({ status, code, type: `urn:chat-backend:problem:${code}` });
  expect(problem.requestId).toBe(headers['x-request-id']);
}

describe('a request that says twice or wrongly where it ends', () => {
  const requests: [string, () => string][] = [
    [
      'Content-Length and chunked',
      () => post(['Content-Length: 4', 'Transfer-Encoding: chunked'], smuggled()),
    ],
    [
      'chunked and Content-Length',
      () => post(['Transfer-Encoding: chunked', 'Content-Length: 4'], smuggled()),
    ],
    [
      'chunked and Content-Length, well formed',
      () => post(['Transfer-Encoding: chunked', `Content-Length: ${good().length}`], chunked(good())),
    ],
    ['two lengths', () => post(['Content-Length: 1', `Content-Length: ${good().length}`], good())],
    ['two equal lengths', () => post(Array(2).fill(`Content-Length: ${good().length}`), good())],
    ['lengths in a list', () => post([`Content-Length: ${good().length}, 1`], good())],
    ['a signed length', () => post([`Content-Length: +${good().length}`], good())],
    ['a length in hex', () => post([`Content-Length: 0x${good().length.toString(16)}`], good())],
    ['a length beyond all numbers', () => post([`Content-Length: ${'9'.repeat(40)}`], good())],
    ['a space before the colon', () => post([`Content-Length : ${good().length}`], good())],
    ['a folded header', () => post(['Content-Length:', ` ${good().length}`], good())],
    ['chunked, but not last', () => post(['Transfer-Encoding: chunked, identity'], chunked(good()))],
    ['a coding nobody knows', () => post(['Transfer-Encoding: xchunked'], chunked(good()))],
    ['a vertical tab before chunked', () => post(['Transfer-Encoding: \x0bchunked'], chunked(good()))],
    [
      'a chunk size that is none',
      () => post(['Transfer-Encoding: chunked'], `xyz\r\n${good()}\r\n0\r\n\r\n`),
    ],
    [
      'a chunk longer than it says',
      () => post(['Transfer-Encoding: chunked'], `1\r\n${good()}\r\n0\r\n\r\n`),
    ],
    ['a chunk size beyond all numbers', () => post(['Transfer-Encoding: chunked'], `${'f'.repeat(20)}\r\nx`)],
  ];
  it.each(requests)('%s: 400', async (_what, request) => {
    await expectRefused(request(), 400, 'invalid_request');
  });

  it('a Content-Length that is too small leaves rubbish, which is no request: 400 for both', async () => {
    const short = good().length - 5;
    const answers = answersIn(await exchange(api.port, post([`Content-Length: ${short}`], good())));
    expect(answers.map(({ status }) => status)).toEqual([400, 400]);
    expect(answers[0]?.body).toContain('The body is not JSON');
    expect(answers[1]?.body).toContain('This is not HTTP/1.1');
  });

  it('a Content-Length that is too large, from a client that goes: nothing is stored', async () => {
    const socket = connect(api.port, '127.0.0.1');
    socket.end(post([`Content-Length: ${good().length + 5}`], good()));
    const [answer] = answersIn(await readAll(socket));
    expect([answer?.status, JSON.parse(answer?.body ?? '').code]).toEqual([400, 'invalid_request']);
  });
});

describe('a request line or header that is not as it should be', () => {
  const get = (target: string, ...headers: string[]) =>
    [`GET ${target} HTTP/1.1`, ...headers, '', ''].join('\r\n');
  const requests: [string, string, number, string][] = [
    ['no HTTP', 'hello\r\n\r\n', 400, 'invalid_request'],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400, 'invalid_request'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'invalid_request'],
    ['HTTP/3.7', 'GET /health HTTP/3.7\r\nHost: a\r\n\r\n', 400, 'invalid_request'],
    ['a method nobody knows', 'BREW /health HTTP/1.1\r\nHost: a\r\n\r\n', 400, 'invalid_request'],
    ['CONNECT', 'CONNECT evil:443 HTTP/1.1\r\nHost: a\r\n\r\n', 405, 'method_not_allowed'],
    ['no Host', get('/health'), 400, 'invalid_request'],
    ['two Hosts', get('/health', 'Host: a', 'Host: b'), 400, 'invalid_request'],
    ['a NUL in the path', get('/hea\0lth', 'Host: a'), 400, 'invalid_request'],
    ['a space in the path', get('/hea lth', 'Host: a'), 400, 'invalid_request'],
    ['a NUL in a header', get('/health', 'Host: a', 'X-User-Id: a\0b'), 400, 'invalid_request'],
    ['a lone CR in a header', get('/health', 'Host: a', 'X-User-Id: a\rX: b'), 400, 'invalid_request'],
    ['a header without a name', get('/health', 'Host: a', ': x'), 400, 'invalid_request'],
    ['an overlong path', get(`/${'x'.repeat(20_000)}`, 'Host: a'), 413, 'payload_too_large'],
    ['an overlong header', get('/health', 'Host: a', `X: ${'x'.repeat(20_000)}`), 413, 'payload_too_large'],
  ];
  it.each(requests)('%s', async (_what, raw, status, code) => {
    await expectRefused(raw, status, code);
  });

  const answered: [string, string, number][] = [
    [
      'a hundred and one headers',
      get('/health', 'Host: a', ...Array(99).fill('X: y'), 'Connection: close'),
      413,
    ],
    ['a hundred headers', get('/health', 'Host: a', ...Array(98).fill('X: y'), 'Connection: close'), 200],
    ['15 KB of headers', get('/health', 'Host: a', `X: ${'x'.repeat(15_000)}`, 'Connection: close'), 200],
    ['HTTP/1.0, which has no Host', 'GET /health HTTP/1.0\r\n\r\n', 200],
    ['the absolute form of a target', get('http://a/health', 'Host: a', 'Connection: close'), 200],
    ['the absolute form of somebody else', get('http://evil/nothing', 'Host: a', 'Connection: close'), 404],
    ['an asterisk', 'OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 404],
    ['steps upwards', get('/api/../../etc/passwd', 'Host: a', 'Connection: close'), 404],
    ['steps upwards, encoded', get('/api/%2e%2e%2f%2e%2e/etc', 'Host: a', 'Connection: close'), 404],
    ['a backslash', get('/api\\chat', 'Host: a', 'Connection: close'), 404],
    ['a double slash', get('//health', 'Host: a', 'Connection: close'), 404],
    ['a percent sign alone', get('/api/chat/conversations/%', 'Host: a', 'Connection: close'), 400],
    ['an overlong UTF-8 slash', get('/api/chat/conversations/%c0%af', 'Host: a', 'Connection: close'), 400],
    ['a percent-encoded NUL', get('/api/chat/conversations/%00', 'Host: a', 'Connection: close'), 400],
    ['an expectation nobody knows', get('/health', 'Host: a', 'Expect: tea', 'Connection: close'), 200],
    ['an upgrade', get('/health', 'Host: a', 'Upgrade: websocket', 'Connection: Upgrade, close'), 200],
  ];
  it.each(answered)('%s', async (_what, raw, status) => {
    const answers = answersIn(await exchange(api.port, raw));
    expect(answers.map((answer) => answer.status)).toEqual([status]);
    expect(answers[0]?.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    if (status >= 400) expect(answers[0]?.headers['content-type']).toContain('application/problem+json');
  });

  it('a line break in an id cannot put a header into an answer', async () => {
    const injected = 'x%0d%0aSet-Cookie:%20a=b';
    for (const target of [
      `/api/chat/conversations/${injected}`,
      `/api/chat/conversations?userId=${injected}`,
    ]) {
      const raw = get(target, 'Host: a', `X-Request-Id: ${injected}`, 'Connection: close');
      const [answer] = answersIn(await exchange(api.port, raw));
      expect([answer?.status, answer?.headers['set-cookie']]).toEqual([400, undefined]);
    }
  });
});

describe('what follows a request on its connection', () => {
  it('is answered after it, also when it is no HTTP', async () => {
    const raw = await exchange(api.port, 'GET /health HTTP/1.1\r\nHost: a\r\n\r\nrubbish\r\n\r\n');
    expect(answersIn(raw).map(({ status }) => status)).toEqual([200, 400]);
  });

  it('is never put into the middle of an answer that has begun', async () => {
    const socket = connect(api.port, '127.0.0.1');
    socket.write(`GET /api/chat/conversations/${conversationId}/events?after=0 HTTP/1.1\r\nHost: a\r\n\r\n`);
    const read = readAll(socket);
    await waitFor('the stream to begin', () => socket.bytesRead > 500);
    socket.write('rubbish\r\n\r\n');
    expect(await read).not.toContain('400');
  });
});
