import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../../support/http/httpApi.ts';
import { createMigratedDatabase, projectAll } from '../../support/projections/historyDatabase.ts';
import type { TestDatabase } from '../../support/servers/postgres.ts';

let database: TestDatabase;
let api: TestApi;
let conversation: string;

beforeAll(async () => {
  database = await createMigratedDatabase();
  // Event streams are let go at once, and may pile up all the same.
  api = await startTestApi({ databaseUrl: database.url, connectionsMax: 10_000 });
  const made = { userId: 'alice', visibility: 'open', participantIds: ['bob'] };
  conversation = (await api.call('POST', '/api/chat/conversations', made)).body.conversation.id;
  const message = { conversationId: conversation, userId: 'alice', content: 'hello world' };
  for (let n = 0; n < 3; n++) await api.call('POST', '/api/chat/messages', message);
  await projectAll(api);
});
afterAll(async () => {
  await api.stop();
  await database.drop();
});

/** What Postgres, its search or a number's type may stumble over. */
const TEXTS: readonly string[] = [
  ...['-', '!', '&', '|', '(', ')', ':', '*', '<', '>', '"', "'", '\\', '%', '_', '$1', '{}', '[]'].flatMap(
    (sign) => [sign, sign.repeat(33), sign.repeat(200), `a ${`${sign} `.repeat(60)}`, `${sign.repeat(40)}b`],
  ),
  ...['-"'.repeat(99), '(-'.repeat(99), '- '.repeat(99), '-\t'.repeat(99), '-('.repeat(99), '"-'.repeat(99)],
  ...[
    'a or '.repeat(39),
    '-a '.repeat(66),
    '"a" -'.repeat(40),
    'a '.repeat(100),
    '-'.repeat(199),
    'or',
    'or or',
  ],
  ...["'; DROP TABLE messages; --", "a' <-> b:*", '$$a$$', 'a:ABCD', '!!a & (b | c)', '<2147483648>'],
  ...['\0', 'a\0b', '\ud800', '\udc00', 'a\ud800', '\ufeff', '\u200b', '\u202e', '\uffff', '\u{10ffff}'],
  ...[
    '😀'.repeat(200),
    '\u0301'.repeat(200),
    'ﷺ'.repeat(200),
    'x'.repeat(200),
    'x'.repeat(5_000),
    '\u2028',
    '\r\n',
  ],
];
const NUMBERS: readonly string[] = [
  ...['-1', '0', '00', '1e3', '1.5', '0x10', '+1', ' 1', 'NaN', 'Infinity', '', '-0', '１'],
  ...[2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53].map(String),
  ...[
    '999999999999999',
    '9223372036854775807',
    '9223372036854775808',
    '18446744073709551616',
    '9'.repeat(400),
  ],
];
const POSITIONS = [...NUMBERS.map((n) => `memory:${n}`), ...NUMBERS, 'memory', ':1', `${'x'.repeat(33)}:1`];
const cursorOf = (text: string) => Buffer.from(text, 'latin1').toString('base64url');
const CURSORS = [
  ...NUMBERS.flatMap((n) => [`${n}.c_${'x'.repeat(21)}`, `-${n}.c_${'x'.repeat(21)}`]).map(cursorOf),
  ...[cursorOf('1.c_\0'), cursorOf(''), 'x'.repeat(200), 'x'.repeat(201)],
];
const HOSTILE = [...TEXTS, ...NUMBERS, ...POSITIONS, ...CURSORS];

/** Fewer than there may be searches that wait. */
const AT_A_TIME = 10;

/** Every route that reads, with the fields that it takes: `:name` is a part of the path. */
const ROUTES: readonly (readonly [path: string, fields: readonly string[]])[] = [
  ['/api/chat/search', ['userId', 'q', 'conversationId', 'cursor', 'limit', 'position']],
  ['/api/chat/conversations', ['userId', 'cursor', 'limit', 'position']],
  ['/api/chat/conversations/:conversationId', ['conversationId', 'userId']],
  [
    '/api/chat/conversations/:conversationId/messages',
    ['conversationId', 'userId', 'before', 'after', 'limit', 'position'],
  ],
  ['/api/chat/conversations/:conversationId/events', ['conversationId', 'userId', 'after', 'epoch']],
  ['/api/chat/presence', ['userIds']],
  ['/api/chat/uploads/:uploadId', ['uploadId', 'userId']],
];

const known = (): Record<string, string> => ({ userId: 'alice', q: 'hello', conversationId: conversation });

/** One field of a route is hostile, the others are as they should be. */
async function ask(
  path: string,
  fields: readonly string[],
  hostile: Record<string, string>,
): Promise<number> {
  const values = { uploadId: `u_${'x'.repeat(21)}`, userIds: 'alice', ...known(), ...hostile };
  const query = new Map(Object.entries(values).filter(([name]) => fields.includes(name)));
  const filled = path.replace(/:(\w+)/, (_, name: string) => {
    const value = query.get(name) ?? '';
    query.delete(name);
    return percentEncoded(value);
  });
  const pairs = [...query].map(([name, value]) => `${name}=${percentEncoded(value)}`);
  const ending = new AbortController();
  const response = await fetch(`${api.url}${filled}?${pairs.join('&')}`, { signal: ending.signal });
  // An event stream would go on.
  ending.abort();
  return response.status;
}

/** Also of what is no Unicode, which is sent as the bytes that it would have. */
function percentEncoded(text: string): string {
  return [...text].map((sign) => (sign.isWellFormed() ? encodeURIComponent(sign) : '%ED%A0%80')).join('');
}

const faults = () => api.logged.filter(({ level }) => level === 50);

describe('what a client asks', () => {
  it.each(ROUTES)('of %s is never a fault of the database', async (path, fields) => {
    for (const field of fields) {
      const failed: string[] = [];
      for (let from = 0; from < HOSTILE.length; from += AT_A_TIME) {
        const values = HOSTILE.slice(from, from + AT_A_TIME);
        const answers = await Promise.all(values.map((value) => ask(path, fields, { [field]: value })));
        failed.push(...values.filter((_, n) => (answers[n] ?? 500) >= 500));
      }
      expect([field, failed]).toEqual([field, []]);
    }
    expect([api.database.failures, api.database.breaker, faults()]).toEqual([0, 'closed', []]);
  });

  it('in any mixture of words and signs is none either', async () => {
    const words = fc.array(fc.oneof(fc.constantFrom(...TEXTS), fc.string({ unit: 'binary' })), {
      maxLength: 6,
    });
    const q = words.map((parts) => parts.join(' ').slice(0, 200));
    await fc.assert(
      fc.asyncProperty(q, async (text) => {
        expect(await ask('/api/chat/search', ['userId', 'q'], { q: text })).toBeLessThan(500);
      }),
      { numRuns: 300 },
    );
    expect([api.database.failures, api.database.breaker, faults()]).toEqual([0, 'closed', []]);
  });

  it('to have marked as read is none either, whatever the sequence', async () => {
    const path = `/api/chat/conversations/${conversation}/read`;
    for (const seq of [0, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, -1, 1.5, 1e300, '1', null]) {
      expect((await api.call('PUT', path, { userId: 'alice', seq })).status).toBeLessThan(500);
    }
    expect([api.database.failures, api.database.breaker, faults()]).toEqual([0, 'closed', []]);
  });

  it('is tried at every route that reads', () => {
    const reading = api.routes.filter(({ method, path }) => method === 'get' && path.startsWith('/api/'));
    expect(reading.map(({ path }) => path).sort()).toEqual(ROUTES.map(([path]) => path).sort());
  });
});
