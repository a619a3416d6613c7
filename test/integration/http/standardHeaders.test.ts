import { request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { securityHeaders } from '../../../src/middleware/securityHeaders.ts';
import { startTestApi, type TestApi } from '../../support/http/httpApi.ts';
import { field, file, MULTIPART, multipart } from '../../support/http/multipart.ts';
import { answersIn, exchange } from '../../support/http/rawHttp.ts';
import { createMigratedDatabase, projectAll } from '../../support/projections/historyDatabase.ts';
import type { TestDatabase } from '../../support/servers/postgres.ts';
import { waitFor } from '../../support/time/waitFor.ts';

/** What surrounds every answer of the API: compression, conditional reads, headers for browsers, CORS. */
const LIST = '/api/chat/conversations?userId=alice';
const PAGE = 'https://chat.example.com';

let database: TestDatabase;
let api: TestApi;
let conversationId: string;
let messages: string;
let online = false;

beforeAll(async () => {
  database = await createMigratedDatabase();
  api = await startTestApi({ databaseUrl: database.url, online: async (ids) => new Set(online ? ids : []) });
  const created = await api.call('POST', '/api/chat/conversations', { userId: 'alice' });
  conversationId = created.body.conversation.id;
  messages = `/api/chat/conversations/${conversationId}/messages?userId=alice`;
  for (let n = 0; n < 20; n++) await say(`message number ${n} about lunch`);
  await projectAll(api);
});
afterAll(async () => {
  await api.stop();
  await database.drop();
});

const say = (content: string) =>
  api.call('POST', '/api/chat/messages', { conversationId, userId: 'alice', content });

/** An answer as it comes over the wire, not decompressed. */
async function fetchRaw(path: string, headers: Record<string, string> = {}, method = 'GET') {
  const sent = request(`${api.url}${path}`, { method, headers, agent: false });
  sent.end();
  const res = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve).once('error', reject);
  });
  return { status: res.statusCode, headers: res.headers, bytes: await buffer(res) };
}

describe('compression', () => {
  it('makes a page smaller for whoever asks, and is the same page', async () => {
    const plain = await fetchRaw(messages);
    const packed = await fetchRaw(messages, { 'Accept-Encoding': 'gzip' });
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(packed.bytes.length).toBeLessThan(plain.bytes.length / 3);
    expect(JSON.parse(gunzipSync(packed.bytes).toString()).messages).toEqual(
      JSON.parse(plain.bytes.toString()).messages,
    );
    expect([plain.headers.vary, packed.headers.vary]).toEqual(['Accept-Encoding', 'Accept-Encoding']);
    expect(packed.headers.etag).toBe(plain.headers.etag);
    expect((await fetchRaw(messages, { 'Accept-Encoding': 'br' })).headers['content-encoding']).toBe('br');
  });

  it('leaves what is small, what nobody wants compressed, and errors of a few bytes', async () => {
    for (const [path, encoding] of [
      ['/health', 'gzip'],
      ['/nothing', 'gzip'],
      [messages, 'identity'],
      [messages, 'gzip;q=0'],
      [messages, 'zstd'],
    ] as const) {
      const { headers } = await fetchRaw(path, { 'Accept-Encoding': encoding });
      expect([path, headers['content-encoding']]).toEqual([path, undefined]);
    }
  });

  it('never holds an event stream back', async () => {
    const path = `/api/chat/conversations/${conversationId}/events?userId=alice&after=0`;
    const stopped = new AbortController();
    const headers = { 'Accept-Encoding': 'gzip, br' };
    const response = await fetch(`${api.url}${path}`, { headers, signal: stopped.signal });
    expect(response.headers.get('content-encoding')).toBeNull();
    const reader = response.body?.getReader();
    let seen = '';
    while (!seen.includes('message number 19')) {
      const { value } = (await reader?.read()) ?? {};
      seen += Buffer.from(value ?? []).toString();
    }
    await say('as it happens');
    while (!seen.includes('as it happens')) {
      const { value } = (await reader?.read()) ?? {};
      seen += Buffer.from(value ?? []).toString();
    }
    stopped.abort();
  });
});

describe('a read that is asked again', () => {
  const reads = (): [string, string][] => [
    ['a conversation', `/api/chat/conversations/${conversationId}?userId=alice`],
    ['the list', LIST],
    ['messages', messages],
    ['a search', '/api/chat/search?userId=alice&q=lunch'],
    ['presence', '/api/chat/presence?userIds=alice,bob'],
  ];

  it.each([0, 1, 2, 3, 4])('is 304 without a body while nothing has changed (read %d)', async (which) => {
    const [what, path] = reads()[which] ?? ['', ''];
    // What the lag says changes by the second, and with it the length.
    await projectAll(api);
    const first = await fetchRaw(path);
    expect([what, first.status, first.headers['cache-control']]).toEqual([what, 200, 'private, no-cache']);
    expect(first.headers.etag).toMatch(/^W\/"[\w-]{27}"$/);
    const etag = String(first.headers.etag);
    for (const method of ['GET', 'HEAD']) {
      for (const condition of [etag, `"other", ${etag}`, etag.slice(2), '*']) {
        const again = await fetchRaw(path, { 'If-None-Match': condition }, method);
        expect([again.status, again.bytes.length]).toEqual([304, 0]);
        expect(again.headers).toMatchObject({
          etag,
          vary: 'Accept-Encoding',
          'cache-control': 'private, no-cache',
          'x-content-type-options': 'nosniff',
          'x-request-id': expect.any(String),
        });
        expect(again.headers['content-type']).toBeUndefined();
      }
    }
    const head = await fetchRaw(path, {}, 'HEAD');
    expect([head.status, head.headers.etag, head.bytes.length]).toEqual([200, etag, 0]);
    expect(head.headers['content-length']).toBe(first.headers['content-length']);
    expect((await fetchRaw(path, { 'If-None-Match': 'W/"other"' })).status).toBe(200);
    // A reload in the browser says so, and wants the answer whatever it has.
    expect((await fetchRaw(path, { 'If-None-Match': etag, 'Cache-Control': 'no-cache' })).status).toBe(200);
  });

  it('of messages stays the same while only the lag moves, and is another when anything is said', async () => {
    await projectAll(api);
    const first = await api.call('GET', messages);
    // Another conversation's events: the history is behind the log now, this page is not.
    await api.call('POST', '/api/chat/conversations', { userId: 'bob' });
    await api.logHead.ask();
    const behind = await api.call('GET', messages);
    expect(behind.body.lag).not.toEqual(first.body.lag);
    const etag = String(first.headers.get('etag'));
    expect(behind.headers.get('etag')).toBe(etag);
    await say('something new');
    await projectAll(api);
    const changed = await api.call('GET', messages, undefined, { 'If-None-Match': etag });
    expect(changed.status).toBe(200);
    expect(changed.body.messages.at(-1).content).toBe('something new');
    expect(changed.headers.get('etag')).not.toBe(etag);
  });

  it('is another page with the same messages when there are more of them', async () => {
    const newest = await api.call('GET', `${messages}&limit=1`);
    const { seq } = newest.body.messages[0];
    const alone = await api.call('GET', `${messages}&after=${seq - 1}&limit=1`);
    expect(alone.body.messages).toEqual(newest.body.messages);
    expect([newest.body.hasMore, alone.body.hasMore]).toEqual([true, false]);
    expect(alone.headers.get('etag')).not.toBe(newest.headers.get('etag'));
  });

  it('of presence is another when somebody comes', async () => {
    const path = '/api/chat/presence?userIds=alice';
    const before = String((await api.call('GET', path)).headers.get('etag'));
    online = true;
    const after = await api.call('GET', path, undefined, { 'If-None-Match': before });
    expect([after.status, after.body.presence.alice]).toEqual([200, 'online']);
  });

  it('tells nobody that something is there that they may not see', async () => {
    const path = `/api/chat/conversations/${conversationId}`;
    const etag = String((await api.call('GET', `${path}?userId=alice`)).headers.get('etag'));
    for (const condition of [etag, '*']) {
      const answer = await api.call('GET', `${path}?userId=mallory`, undefined, {
        'If-None-Match': condition,
      });
      expect([answer.status, answer.headers.get('etag')]).toEqual([404, null]);
      expect(answer.headers.get('cache-control')).toBe('no-store');
    }
  });
});

/** Written out, for what is asked of `securityHeaders` about itself is always true. */
const FOR_BROWSERS = {
  'content-security-policy': "default-src 'none';frame-ancestors 'none';base-uri 'none';form-action 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000',
  'x-content-type-options': 'nosniff',
  'x-dns-prefetch-control': 'off',
  'x-frame-options': 'DENY',
  'x-permitted-cross-domain-policies': 'none',
};

describe('headers for browsers', () => {
  it('are on every kind of answer', async () => {
    const made = securityHeaders().map(([name, value]) => [name.toLowerCase(), value]);
    expect(Object.fromEntries(made)).toEqual(FOR_BROWSERS);
    for (const path of ['/health', '/metrics', LIST, '/nothing', '/api/chat/messages', '/%FF']) {
      expect((await fetchRaw(path)).headers).toMatchObject(FOR_BROWSERS);
    }
    for (const raw of ['hello\r\n\r\n', 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n']) {
      const [answer] = answersIn(await exchange(api.port, raw));
      expect(answer?.headers).toMatchObject({ ...FOR_BROWSERS, 'cache-control': 'no-store' });
    }
  });

  it('leave TLS to the gateway when told so, and let allowed pages read', () => {
    const names = (options: Parameters<typeof securityHeaders>[0]) => new Map(securityHeaders(options));
    expect(names({ hstsSeconds: 0 }).has('Strict-Transport-Security')).toBe(false);
    expect(names({ hstsSeconds: 60 }).get('Strict-Transport-Security')).toBe('max-age=60');
    expect(names({ allowedOrigins: [PAGE] }).get('Cross-Origin-Resource-Policy')).toBe('cross-origin');
  });

  it.each([
    [60, 'max-age=60'],
    [0, null],
  ])('say of TLS what the API is told: %d seconds', async (hstsSeconds, wanted) => {
    const told = await startTestApi({ shell: { hstsSeconds } });
    for (const path of ['/health', '/nothing']) {
      expect((await told.call('GET', path)).headers.get('strict-transport-security')).toBe(wanted);
    }
    await told.stop();
  });
});

describe('pages of other origins', () => {
  const EXPOSED = 'Content-Disposition,ETag,Location,Preference-Applied,Retry-After,X-Request-Id';
  const preflight = { 'Access-Control-Request-Method': 'PUT', 'Access-Control-Request-Headers': 'x-user-id' };

  it('are told nothing, and preflights refused, when no list is set', async () => {
    const { headers } = await fetchRaw('/health', { Origin: PAGE });
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    expect((await fetchRaw('/api/chat/messages', { Origin: PAGE, ...preflight }, 'OPTIONS')).status).toBe(
      405,
    );
  });

  it('of the list may send and read what the protocol needs; others are told nothing', async () => {
    const listed = await startTestApi({ shell: { allowedOrigins: [PAGE, 'http://localhost:5173'] } });
    const options = (origin: string) =>
      listed.call('OPTIONS', '/api/chat/messages', undefined, { Origin: origin, ...preflight });
    const allowed = await options(PAGE);
    expect([allowed.status, allowed.body]).toEqual([204, null]);
    expect(allowed.headers.get('access-control-allow-origin')).toBe(PAGE);
    expect(allowed.headers.get('access-control-allow-headers')).toBe(
      'Content-Type,If-None-Match,Last-Event-ID,Prefer,Idempotency-Key,X-Request-Id,X-User-Id',
    );
    expect(allowed.headers.get('access-control-allow-methods')).toBe('GET,HEAD,POST,PUT,PATCH,DELETE');
    expect(allowed.headers.get('access-control-max-age')).toBe('7200');
    expect(allowed.headers.get('access-control-allow-credentials')).toBeNull();
    expect(allowed.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    for (const path of ['/health', '/nothing']) {
      const read = await listed.call('GET', path, undefined, { Origin: PAGE });
      expect(read.headers.get('access-control-allow-origin')).toBe(PAGE);
      expect(read.headers.get('access-control-expose-headers')).toBe(EXPOSED);
      expect(read.headers.get('vary')).toBe('Accept-Encoding, Origin');
      expect(read.headers.get('cross-origin-resource-policy')).toBe('cross-origin');
    }
    for (const stranger of ['https://evil.example', `${PAGE}.evil.example`, 'null', `${PAGE}:444`]) {
      expect((await options(stranger)).headers.get('access-control-allow-origin')).toBeNull();
      const read = await listed.call('GET', '/health', undefined, { Origin: stranger });
      expect(read.headers.get('access-control-allow-origin')).toBeNull();
      // Or a cache would give this answer to the page that may read it.
      expect(read.headers.get('vary')).toBe('Accept-Encoding, Origin');
    }
    // A form is sent without a preflight.
    const conversation = await listed.call('POST', '/api/chat/conversations', { userId: 'alice' });
    const form = multipart(
      field('conversationId', conversation.body.conversation.id),
      field('userId', 'alice'),
      file('hello'),
    );
    const upload = (origin: string) =>
      listed.call('POST', '/api/chat/uploads', form, { ...MULTIPART, Origin: origin });
    for (const stranger of ['https://evil.example', 'null', `http://127.0.0.1:${listed.port + 1}`]) {
      const foreign = await upload(stranger);
      expect([foreign.status, foreign.body.code]).toEqual([403, 'forbidden']);
      const plain = { 'Content-Type': 'text/plain', Origin: stranger };
      expect((await listed.call('POST', '/api/chat/messages', '{}', plain)).status).toBe(403);
    }
    expect(listed.uploads).toEqual([]);
    for (const own of [PAGE, listed.url]) expect((await upload(own)).status).toBe(201);
    // What is refused before any route is asked, too: the page is told why.
    const noHost = `GET /health HTTP/1.1\r\nOrigin: ${PAGE}\r\n\r\n`;
    const [refused] = answersIn(await exchange(listed.port, noHost));
    expect([refused?.status, refused?.headers['access-control-allow-origin']]).toEqual([400, PAGE]);
    // No preflight, but an OPTIONS of somebody who wants to know.
    expect((await listed.call('OPTIONS', '/api/chat/messages')).status).toBe(405);
    await listed.stop();
  });

  it('may be any', async () => {
    const open = await startTestApi({ shell: { allowedOrigins: '*' } });
    const { headers } = await open.call('GET', '/health', undefined, { Origin: 'null' });
    expect(headers.get('access-control-allow-origin')).toBe('*');
    expect(headers.get('access-control-expose-headers')).toBe(EXPOSED);
    expect(headers.get('access-control-allow-credentials')).toBeNull();
    await open.stop();
  });
});

describe('the request id', () => {
  it('that a gateway sent comes back on every kind of answer', async () => {
    const sent = { 'X-Request-Id': 'gw-1.2:3' };
    const etag = String((await fetchRaw(LIST)).headers.etag);
    const kinds: [string, string, Record<string, string>, number][] = [
      ['GET', '/health', {}, 200],
      ['HEAD', '/health', {}, 200],
      ['GET', LIST, { 'If-None-Match': etag }, 304],
      ['GET', LIST, { 'Accept-Encoding': 'gzip' }, 200],
      ['GET', '/nothing', {}, 404],
      ['GET', '/%FF', {}, 404],
      ['PUT', '/health', {}, 405],
      ['POST', '/api/chat/messages', {}, 400],
      ['PROPFIND', '/health', {}, 405],
    ];
    for (const [method, path, headers, status] of kinds) {
      const answer = await fetchRaw(path, { ...sent, ...headers }, method);
      expect([path, answer.status, answer.headers['x-request-id']]).toEqual([path, status, 'gw-1.2:3']);
    }
  });

  it('is in the problem and in the one line of the log, which tells no more of the request than its route', async () => {
    const path = `/api/chat/conversations/${conversationId}?userId=mallory`;
    const { body } = await api.call('GET', path, undefined, { 'X-Request-Id': 'gw-in-log' });
    expect(body).toMatchObject({ status: 404, requestId: 'gw-in-log' });
    const lines = await waitFor('the line', () => {
      const found = api.logged.filter(({ requestId }) => requestId === 'gw-in-log');
      return found.length > 0 && found;
    });
    const route = '/api/chat/conversations/:conversationId';
    expect(lines).toMatchObject([{ level: 30, method: 'GET', route, statusCode: 404 }]);
    expect(JSON.stringify(lines)).not.toMatch(new RegExp(`${conversationId}|mallory`));
  });

  it('is a new one for what is no HTTP, or when there are two', async () => {
    const [malformed] = answersIn(await exchange(api.port, 'hello\r\n\r\n'));
    expect(JSON.parse(malformed?.body ?? '').requestId).toBe(malformed?.headers['x-request-id']);
    const twice =
      'GET /health HTTP/1.1\r\nHost: a\r\nX-Request-Id: a\r\nX-Request-Id: b\r\nConnection: close\r\n\r\n';
    const [answer] = answersIn(await exchange(api.port, twice));
    expect(answer?.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });
});
