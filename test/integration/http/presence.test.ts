import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../../support/http/httpApi.ts';

const ONLINE = new Set(['alice', '__proto__', 'a,b', 'c d+e&f', '7', '']);

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi({
    online: async (userIds) => new Set(userIds.filter((user) => ONLINE.has(user))),
  });
});
afterAll(() => api.stop());

const ask = (query: string, headers: Record<string, string> = {}) =>
  api.call('GET', `/api/chat/presence${query}`, undefined, headers);

async function states(query: string): Promise<[string, unknown][]> {
  const { status, body } = await ask(query);
  expect(status).toBe(200);
  expect(Object.keys(body)).toEqual(['presence']);
  return Object.entries(body.presence);
}

describe('asking who is online', () => {
  it('answers for every id', async () => {
    const { status, headers, body } = await ask('?userIds=alice,bob');
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
    expect(body).toEqual({ presence: { alice: 'online', bob: 'offline' } });
  });

  it('takes a list as URLSearchParams encodes it', async () => {
    const query = new URLSearchParams({ userIds: 'alice,bob,c d+e&f' });
    expect(await states(`?${query}`)).toEqual([
      ['alice', 'online'],
      ['bob', 'offline'],
      ['c d+e&f', 'online'],
    ]);
  });

  it('reads a query as anybody does: names are encoded too, only the first ? and = are signs, nothing is a field', async () => {
    for (const query of ['?user%49ds=a=b,c?d', '?&userIds=a%3Db,c%3Fd&&']) {
      expect(await states(query)).toEqual([
        ['a=b', 'offline'],
        ['c?d', 'offline'],
      ]);
    }
    expect((await ask('?userIds=alice&=')).status).toBe(400);
  });

  it('takes each value as one id when there are several, so that an id may hold a comma', async () => {
    expect(await states('?userIds=a,b&userIds=bob')).toEqual([
      ['a,b', 'online'],
      ['bob', 'offline'],
    ]);
    expect(await states('?userIds=a%2Cb&userIds=a,b')).toEqual([['a,b', 'online']]);
    expect(await states('?userIds=a,b')).toEqual([
      ['a', 'offline'],
      ['b', 'offline'],
    ]);
  });

  it('answers for names that objects have as for any other', async () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '7'];
    expect(Object.fromEntries(await states(`?userIds=${names.join()}`))).toEqual(
      Object.fromEntries(names.map((name) => [name, ONLINE.has(name) ? 'online' : 'offline'])),
    );
    const { body } = await ask('?userIds=__proto__');
    expect(JSON.stringify(body)).toBe('{"presence":{"__proto__":"online"}}');
  });

  it('takes 200 ids, and does not care who asks', async () => {
    const ids = Array.from({ length: 200 }, (_, n) => `user-${n}`);
    expect(await states(`?userIds=${ids.join()}`)).toHaveLength(200);
    expect((await ask('?userIds=alice', { 'X-User-Id': 'bob' })).status).toBe(200);
  });
});

describe('a question that is not as it should be', () => {
  const many = Array.from({ length: 201 }, (_, n) => `u${n}`);
  it.each([
    ['nobody', '', 'userIds'],
    ['an empty list', '?userIds=', 'userIds.0'],
    ['an empty id', '?userIds=alice,,bob', 'userIds.1'],
    ['an empty id among several', '?userIds=alice&userIds=', 'userIds.1'],
    ['201 ids', `?userIds=${many.join()}`, 'userIds'],
    ['201 times an id', `?${many.map((id) => `userIds=${id}`).join('&')}`, 'userIds'],
    ['an id that is too long', `?userIds=alice,${'x'.repeat(129)}`, 'userIds.1'],
    ['an id with a line break', '?userIds=alice,b%0Ac', 'userIds.1'],
    ['another field', '?userIds=alice&userId=bob', ''],
    ['a misspelt field', '?userids=alice', 'userIds'],
    ['a field __proto__', '?userIds=alice&__proto__=1', ''],
    ['no UTF-8', '?userIds=%FF', ''],
  ])('%s: 400, and says where', async (_what, query, path) => {
    const { status, headers, body } = await ask(query);
    expect([status, body.code]).toEqual([400, 'invalid_request']);
    expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(body.errors[0]).toMatchObject({ path, reason: expect.any(String) });
  });

  it('any method but GET: 405', async () => {
    const { status, headers } = await api.call('POST', '/api/chat/presence', {});
    expect([status, headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});
