import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ERRORS, type ErrorCode } from '../../../src/contracts/errors.ts';
import { type Answer, startTestApi, type TestApi } from '../../support/http/httpApi.ts';

/** Every malformed request gets its typed error and leaves nothing in the log. No database: none of it gets there. */
const CONVERSATIONS = '/api/chat/conversations';
const MESSAGES = '/api/chat/messages';
const C = 'c_000000000000000000000';
const M = 'm_0000000000000000000000';

let api: TestApi;
let eventsBefore: number;

beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.stop());
beforeEach(async () => {
  eventsBefore = await api.eventsInLog();
});

async function expectRefused(answer: Answer, status: number, code: ErrorCode): Promise<void> {
  expect([answer.status, answer.body.code]).toEqual([status, code]);
  expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(answer.body.title).toBe(ERRORS[code].title);
  expect(answer.body).toMatchObject({ status, type: `urn:chat-backend:problem:${code}`, retryable: false });
  expect(answer.body.requestId).toBe(answer.headers.get('x-request-id'));
  // Fields that say nothing are left out.
  if (code !== 'invalid_request') expect(answer.body).not.toHaveProperty('errors');
  expect(answer.body).not.toHaveProperty('retryAfterMs');
  expect(await api.eventsInLog()).toBe(eventsBefore);
}

describe('a body that is not as it should be', () => {
  const valid = { conversationId: C, userId: 'alice', content: 'hi' };
  const nested = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const bodies: [string, unknown][] = [
    ['no JSON', '{"userId":'],
    ['empty', ''],
    ['no object', '[]'],
    ['null', 'null'],
    ['a wrong type', { ...valid, content: 5 }],
    ['a missing field', { conversationId: C, userId: 'alice' }],
    ['a key twice', `{"conversationId":"${C}","userId":"a","content":"x","content":"y"}`],
    [
      'a key twice, written in two ways',
      `{"conversationId":"${C}","userId":"a","content":"x","\\u0063ontent":"y"}`,
    ],
    ['a user id of blanks', { ...valid, userId: '\u3164 \u2800' }],
    ['a user id that ends with a blank', { ...valid, userId: 'alice ' }],
    ['an unknown field', { ...valid, contents: 'hi' }],
    ['__proto__', `{"conversationId":"${C}","userId":"a","content":"x","__proto__":{"admin":true}}`],
    ['constructor', { ...valid, constructor: { prototype: {} } }],
    ['deep nesting', nested],
    ['deep nesting in a field', `{"conversationId":"${C}","userId":"a","content":${nested}}`],
    // Right in all else: read leniently, it would be a message of replacement characters.
    ['invalid UTF-8', Buffer.from(JSON.stringify({ ...valid, content: '\xff\xfe' }), 'latin1')],
    ['UTF-16', Buffer.from(JSON.stringify(valid), 'utf16le')],
    ['an unpaired surrogate', `{"conversationId":"${C}","userId":"a","content":"\\ud800"}`],
    ['NUL in the content', { ...valid, content: 'a\0b' }],
    ['nothing as content', { ...valid, content: '' }],
    ['too much content', { ...valid, content: 'x'.repeat(8_001) }],
    ['an attachment', { ...valid, attachments: [{ id: 'a' }] }],
    ['a user id with a line break', { ...valid, userId: 'a\r\nb' }],
    ['a user id too long', { ...valid, userId: 'x'.repeat(129) }],
    ...['', '.', '*', '>', 'c_*', `${C}.`, `${C}\r\n`, `${C}\0`, 'c_00000000000000000000.', '../etc'].map(
      (id): [string, unknown] => [`conversationId ${JSON.stringify(id)}`, { ...valid, conversationId: id }],
    ),
  ];
  it.each(bodies)('%s: 400', async (_what, body) => {
    await expectRefused(await api.call('POST', MESSAGES, body), 400, 'invalid_request');
  });

  it('names the fields and why, but not without end', async () => {
    const participantIds = Array.from({ length: 500 }, () => '');
    const { body } = await api.call('POST', CONVERSATIONS, { userId: 'a', participantIds, title: '' });
    expect(body.errors).toHaveLength(20);
    expect(body.errors[0]).toMatchObject({ path: 'participantIds.0', reason: expect.any(String) });
    const long = await api.call('POST', CONVERSATIONS, { userId: 'a', ['x'.repeat(100_000)]: 1 });
    expect(JSON.stringify(long.body).length).toBeLessThan(1_000);
    // Wherever it is cut.
    for (const before of ['', 'x']) {
      const cut = await api.call('POST', CONVERSATIONS, { userId: 'a', [before + '😀'.repeat(200)]: 1 });
      const { reason } = cut.body.errors[0];
      expect([reason.length <= 201, reason.isWellFormed()]).toEqual([true, true]);
    }
  });

  it('another content type, or compressed: 415', async () => {
    const wrong: Record<string, string>[] = [
      { 'Content-Type': 'text/plain' },
      { 'Content-Type': 'application/x-www-form-urlencoded' },
      { 'Content-Type': 'application/json; charset=utf-16' },
      { 'Content-Type': 'application/json-patch+json' },
      { 'Content-Encoding': 'gzip' },
    ];
    for (const headers of wrong) {
      await expectRefused(await api.call('POST', MESSAGES, '{}', headers), 415, 'unsupported_media_type');
    }
  });

  it('but JSON in UTF-8 that is not compressed may say so in any way that HTTP knows', async () => {
    const ways: Record<string, string>[] = [
      { 'Content-Type': 'application/json; charset=utf-8' },
      { 'Content-Type': 'Application/JSON;charset="UTF-8"' },
      { 'Content-Encoding': 'identity' },
    ];
    // Far enough to find that there is no such conversation.
    for (const headers of ways) {
      await expectRefused(await api.call('POST', MESSAGES, valid, headers), 404, 'not_found');
    }
  });

  it('of exactly 1 MiB is read, of a byte more is not: 413', async () => {
    const body = JSON.stringify(valid).padEnd(1_048_576);
    await expectRefused(await api.call('POST', MESSAGES, body), 404, 'not_found');
    await expectRefused(await api.call('POST', MESSAGES, `${body} `), 413, 'payload_too_large');
  });

  it('over 1 MiB: 413, announced or not, and the connection still brings the answer', async () => {
    const body = JSON.stringify({ ...valid, content: 'x'.repeat(1_048_576) });
    await expectRefused(await api.call('POST', MESSAGES, body), 413, 'payload_too_large');
    const chunks = Array.from({ length: 40 }, () => Buffer.alloc(50_000, 0x20));
    const stream = { body: ReadableStream.from(chunks), duplex: 'half' };
    const headers = { 'Content-Type': 'application/json' };
    const response = await fetch(api.url + MESSAGES, { method: 'POST', headers, ...stream } as RequestInit);
    const answer = { status: response.status, headers: response.headers, body: await response.json() };
    await expectRefused(answer, 413, 'payload_too_large');
  });
});

describe('ids, queries and headers that are not as they should be', () => {
  const requests: [string, string, object | undefined, Record<string, string>?][] = [
    ['GET', `${CONVERSATIONS}/c_short`, undefined],
    ['GET', `${CONVERSATIONS}/${C}.x`, undefined],
    ['GET', `${CONVERSATIONS}/c_%3E%00%0D%0A`, undefined],
    ['GET', `${CONVERSATIONS}/%FF`, undefined],
    ['GET', `${CONVERSATIONS}/*/messages`, undefined],
    ['PATCH', `${CONVERSATIONS}/%2e%2e%2f`, { userId: 'a', title: 't' }],
    ['PATCH', `${MESSAGES}/m_*`, { conversationId: C, userId: 'a', content: 'c' }],
    ['DELETE', `${MESSAGES}/${C}`, { conversationId: C, userId: 'a' }],
    ['DELETE', `${MESSAGES}/${M}?erase=yes`, { conversationId: C, userId: 'a' }],
    ['DELETE', `${MESSAGES}/${M}?erase=true&all=true`, { conversationId: C, userId: 'a' }],
    ['PUT', `${MESSAGES}/${M}/reactions/%20`, { conversationId: C, userId: 'a' }],
    ['PUT', `${MESSAGES}/${M}/reactions/${'x'.repeat(33)}`, { conversationId: C, userId: 'a' }],
    ['PUT', `${MESSAGES}/${M}/reactions/%EE%80%80`, { conversationId: C, userId: 'a' }],
    ['PUT', `${MESSAGES}/m_*/reactions/x`, { conversationId: C, userId: 'a' }],
    ['DELETE', `${MESSAGES}/${M}/reactions/%00`, { conversationId: C, userId: 'a' }],
    ['DELETE', `${MESSAGES}/${M}/reactions/x`, { conversationId: C, userId: 'a', emoji: 'x' }],
    ['PATCH', `${CONVERSATIONS}/${C}`, { userId: 'a' }],
    ['GET', `${CONVERSATIONS}/${C}/messages?limit=0`, undefined],
    ['GET', `${CONVERSATIONS}/${C}/messages?limit=201`, undefined],
    ['GET', `${CONVERSATIONS}/${C}/messages?limit=1e1`, undefined],
    ['GET', `${CONVERSATIONS}/${C}/messages?before=-1`, undefined],
    ['GET', `${CONVERSATIONS}/${C}/messages?before=1&after=2`, undefined],
    ['GET', `${CONVERSATIONS}/${C}/messages?after=99999999999999999999`, undefined],
    ['GET', `${CONVERSATIONS}/${C}/messages?position=1:x`, undefined],
    ['GET', `${CONVERSATIONS}/${C}/messages?limit=1&limit=2`, undefined],
    ['GET', `${CONVERSATIONS}/${C}/messages?__proto__=1`, undefined],
    ['GET', `${CONVERSATIONS}/${C}?user=alice`, undefined],
    ['GET', `${CONVERSATIONS}?userId=%FF`, undefined],
    ['GET', `${CONVERSATIONS}?userId=%E0%A4%A`, undefined],
    ['GET', CONVERSATIONS, undefined],
    ['GET', `${CONVERSATIONS}?userId=a`, undefined, { 'X-User-Id': 'b' }],
    ['GET', CONVERSATIONS, undefined, { 'X-User-Id': 'x'.repeat(129) }],
    ['GET', CONVERSATIONS, undefined, { 'X-User-Id': '\xff' }],
    ['POST', CONVERSATIONS, { userId: 'a' }, { 'X-User-Id': 'b' }],
    ['POST', CONVERSATIONS, { userId: 7 }, { 'X-User-Id': 'b' }],
    ['POST', CONVERSATIONS, { userId: 'a', title: 'x'.repeat(201) }],
    [
      'POST',
      CONVERSATIONS,
      { userId: 'a', participantIds: Array.from({ length: 2_001 }, (_, i) => `u${i}`) },
    ],
    [
      'POST',
      CONVERSATIONS,
      { userId: 'a', participantIds: Array.from({ length: 2_000 }, (_, i) => `u${i}`) },
    ],
    ['POST', `${CONVERSATIONS}/${C}/participants`, { userId: 'a', participantIds: [] }],
  ];
  it.each(requests)('%s %s: 400', async (method, path, body, headers) => {
    await expectRefused(await api.call(method, path, body, headers), 400, 'invalid_request');
  });

  it('replaces a request id that is not harmless, and keeps one that is', async () => {
    const idFor = async (given: string) =>
      (await api.call('GET', '/health', undefined, { 'X-Request-Id': given })).headers.get('x-request-id');
    for (const odd of ['a b', 'a"b', 'a;b', 'a,b', '<a>', 'a/b', 'a\\b', '\xe9', 'x'.repeat(129)]) {
      expect([odd, await idFor(odd)]).toEqual([odd, expect.stringMatching(/^[0-9a-f-]{36}$/)]);
    }
    for (const sane of ['gw-1.2:3', 'A_z', 'x'.repeat(128)]) expect(await idFor(sane)).toBe(sane);
  });
});

describe('paths and methods', () => {
  it.each([
    '/',
    '/api',
    '/api/chat',
    `/api/chat/conversations/${C}/nothing`,
    '/API/chat/messages',
    '/api/chat/Conversations',
    '/Health',
  ])('%s is not there: 404', async (path) => {
    await expectRefused(await api.call('GET', path), 404, 'not_found');
  });

  it('a slash at the end makes no other path', async () => {
    await expectRefused(await api.call('GET', `${MESSAGES}/`), 405, 'method_not_allowed');
    expect((await api.call('GET', '/health/')).status).toBe(200);
  });

  it.each([
    ['GET', MESSAGES, 'POST'],
    ['PUT', CONVERSATIONS, 'GET, HEAD, POST'],
    ['DELETE', `${CONVERSATIONS}/${C}`, 'GET, HEAD, PATCH'],
    ['OPTIONS', `${MESSAGES}/${M}`, 'PATCH, DELETE'],
    ['POST', `${MESSAGES}/${M}/reactions/x`, 'PUT, DELETE'],
    ['POST', '/health', 'GET, HEAD'],
  ])('%s %s: 405 with what is allowed', async (method, path, allow) => {
    const answer = await api.call(method, path);
    await expectRefused(answer, 405, 'method_not_allowed');
    expect(answer.headers.get('allow')).toBe(allow);
  });

  it('answers never say what serves them, are never cached and never sniffed', async () => {
    const { headers } = await api.call('GET', `${CONVERSATIONS}/${C}`);
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('etag')).toBeNull();
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });
});

describe('any JSON at all', () => {
  const routes: [string, string][] = [
    ['POST', CONVERSATIONS],
    ['PATCH', `${CONVERSATIONS}/${C}`],
    ['POST', `${CONVERSATIONS}/${C}/participants`],
    ['POST', MESSAGES],
    ['PATCH', `${MESSAGES}/${M}`],
    ['DELETE', `${MESSAGES}/${M}`],
  ];
  const field = fc.oneof(
    fc.jsonValue(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom(C, M, 'alice', 'open'),
  );
  const names = fc.constantFrom(
    ...['conversationId', 'userId', 'content', 'title', 'participantIds', 'visibility', 'archived'],
    ...['replyTo', 'clientMessageId', 'seq', 'attachments', '__proto__', 'toString'],
  );
  const body = fc.oneof(fc.jsonValue(), fc.dictionary(names, field, { maxKeys: 6 }));

  it('is answered with 2xx or 4xx, never with 5xx', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...routes), body, async ([method, path], json) => {
        const { status } = await api.call(method, path, JSON.stringify(json));
        expect(status).toBeLessThan(500);
      }),
      { numRuns: 300 },
    );
    expect(api.logged.filter(({ level }) => level === 50)).toEqual([]);
  });
});
