import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../../support/http/httpApi.ts';
import { createMigratedDatabase, projectAll } from '../../support/projections/historyDatabase.ts';
import type { TestDatabase } from '../../support/servers/postgres.ts';

const PATH = '/api/chat/conversations';
let database: TestDatabase;
let api: TestApi;

beforeAll(async () => {
  database = await createMigratedDatabase();
  api = await startTestApi({ databaseUrl: database.url });
});
afterAll(async () => {
  await api.stop();
  await database.drop();
});

async function create(body: object): Promise<string> {
  return (await api.call('POST', PATH, body)).body.conversation.id;
}

async function post(conversationId: string, userId: string, content: string): Promise<string> {
  return (await api.call('POST', '/api/chat/messages', { conversationId, userId, content })).body.message
    .messageId;
}

describe('creating a conversation', () => {
  it('answers 201 with the conversation, where it is, and its position in the log', async () => {
    const body = { userId: 'alice', participantIds: ['bob'], title: 'Tea' };
    const answer = await api.call('POST', PATH, body);
    expect(answer.status).toBe(201);
    const { conversation, seq, position } = answer.body;
    expect(conversation).toMatchObject({
      title: 'Tea',
      visibility: 'members',
      createdBy: 'alice',
      archived: false,
    });
    expect(conversation.participantIds).toEqual(['alice', 'bob']);
    expect(answer.headers.get('location')).toBe(`${PATH}/${conversation.id}`);
    expect(position).toBe(`memory:${seq}`);
  });

  it('takes the user from X-User-Id, in UTF-8', async () => {
    const header = Buffer.from('Zoë').toString('latin1');
    const answer = await api.call('POST', PATH, {}, { 'X-User-Id': header });
    expect(answer.body.conversation.createdBy).toBe('Zoë');
  });
});

describe('creating a conversation again with the same clientConversationId', () => {
  const body = { userId: 'alice', participantIds: ['bob', 'carol'], title: 'Tea' };

  it('answers 200 with the same conversation, as it is now, by field or by header', async () => {
    const first = await api.call('POST', PATH, { ...body, clientConversationId: 'k1' });
    expect([first.status, first.body.duplicate]).toEqual([201, false]);
    const again = await api.call('POST', PATH, { ...body, clientConversationId: 'k1' });
    expect(again.status).toBe(200);
    expect(again.body).toEqual({ ...first.body, duplicate: true });
    expect(again.headers.get('location')).toBe(first.headers.get('location'));
    await api.call('PATCH', `${PATH}/${first.body.conversation.id}`, { userId: 'bob', title: 'Coffee' });
    const reordered = { ...body, participantIds: ['carol', 'bob', 'alice'] };
    for (const key of ['k1', '"k1"']) {
      const { status, body: answer } = await api.call('POST', PATH, reordered, { 'Idempotency-Key': key });
      expect([status, answer.conversation.id, answer.conversation.title]).toEqual([
        200,
        first.body.conversation.id,
        'Coffee',
      ]);
    }
  });

  it('answers 409 when it asks for another conversation, and 400 when header and field differ', async () => {
    await api.call('POST', PATH, { ...body, clientConversationId: 'k2' });
    for (const change of [{ title: 'Milk' }, { visibility: 'open' }, { participantIds: ['bob'] }]) {
      const answer = await api.call('POST', PATH, { ...body, ...change, clientConversationId: 'k2' });
      expect([answer.status, answer.body.code]).toEqual([409, 'conflict']);
    }
    const header = { 'Idempotency-Key': 'other' };
    const differing = await api.call('POST', PATH, { ...body, clientConversationId: 'k2' }, header);
    expect([differing.status, differing.body.errors[0].path]).toEqual([400, 'clientConversationId']);
    const odd = await api.call('POST', PATH, body, { 'Idempotency-Key': '""' });
    expect([odd.status, odd.body.errors[0].path]).toEqual([400, 'Idempotency-Key']);
    // Bytes that are no UTF-8 would all become the same character, and different keys one.
    const latin = await api.call('POST', PATH, body, { 'Idempotency-Key': 'k\xe9' });
    expect([latin.status, latin.body.errors]).toEqual([
      400,
      [{ path: 'Idempotency-Key', reason: 'must be UTF-8' }],
    ]);
  });

  it('is another conversation for another user', async () => {
    const ids = ['alice', 'bob'].map(async (userId) => create({ userId, clientConversationId: 'k3' }));
    expect(new Set(await Promise.all(ids)).size).toBe(2);
  });
});

describe('getting one conversation', () => {
  it('shows it to its participants, and answers strangers as if there were none', async () => {
    const id = await create({ userId: 'alice', participantIds: ['bob'] });
    expect((await api.call('GET', `${PATH}/${id}?userId=bob`)).body.conversation.id).toBe(id);
    const strange = await api.call('GET', `${PATH}/${id}`, undefined, {
      'X-User-Id': 'eve',
      'X-Request-Id': 'r',
    });
    const missing = await api.call('GET', `${PATH}/c_000000000000000000000`, undefined, {
      'X-Request-Id': 'r',
    });
    expect(strange.status).toBe(404);
    expect(strange.body).toEqual(missing.body);
  });

  it('shows an open one to anybody', async () => {
    const id = await create({ userId: 'alice', visibility: 'open' });
    expect((await api.call('GET', `${PATH}/${id}`)).status).toBe(200);
  });
});

describe('changing a conversation', () => {
  it('renames and archives in one call', async () => {
    const id = await create({ userId: 'alice', title: 'old' });
    const answer = await api.call('PATCH', `${PATH}/${id}`, {
      userId: 'alice',
      title: 'new',
      archived: true,
    });
    expect(answer.status).toBe(200);
    expect(answer.body.conversation).toMatchObject({ id, title: 'new', archived: true });
  });

  it('lets somebody join an open conversation and leave again', async () => {
    const id = await create({ userId: 'alice', visibility: 'open' });
    const bob = { userId: 'bob', participantIds: ['bob'] };
    const joined = await api.call('POST', `${PATH}/${id}/participants`, bob);
    expect(joined.body.conversation.participantIds).toEqual(['alice', 'bob']);
    const left = await api.call('DELETE', `${PATH}/${id}/participants`, bob);
    expect(left.body.conversation.participantIds).toEqual(['alice']);
  });

  it('refuses a change by somebody who is not in it, with 403', async () => {
    const id = await create({ userId: 'alice', visibility: 'open' });
    const before = await api.eventsInLog();
    const answer = await api.call('PATCH', `${PATH}/${id}`, { userId: 'bob', title: 'mine' });
    expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
    expect(await api.eventsInLog()).toBe(before);
  });
});

describe('listing conversations', () => {
  it('puts the latest activity first, with the last message and what is unread', async () => {
    const quiet = await create({ userId: 'lena', title: 'quiet' });
    const busy = await create({ userId: 'lena', participantIds: ['max'], title: 'busy' });
    await post(busy, 'lena', 'one');
    await post(busy, 'max', 'two');
    const last = await post(busy, 'max', 'three');
    await projectAll(api);
    const { conversations, nextCursor } = (await api.call('GET', `${PATH}?userId=lena`)).body;
    expect(conversations.map(({ id }: { id: string }) => id)).toEqual([busy, quiet]);
    expect(nextCursor).toBeNull();
    const [first, second] = conversations;
    expect(first).toMatchObject({ messageCount: 3, unreadCount: 2, participantIds: ['lena', 'max'] });
    expect(first.lastMessage).toMatchObject({
      messageId: last,
      content: 'three',
      userId: 'max',
      reactions: {},
    });
    expect(first.lastActivityAt).toBe(first.lastMessage.at);
    expect(second).toMatchObject({ title: 'quiet', lastMessage: null, messageCount: 0, unreadCount: 0 });
  });

  it('counts as unread only what is still there, in the list and when it is marked', async () => {
    const id = await create({ userId: 'nina', participantIds: ['otto'] });
    const messages: string[] = [];
    for (const content of ['one', 'two', 'three', 'four']) messages.push(await post(id, 'nina', content));
    const [first, second, , fourth] = messages;
    const remove = async (messageId: string | undefined, query = '') => {
      const body = { conversationId: id, userId: 'nina' };
      await api.call('DELETE', `/api/chat/messages/${messageId}${query}`, body);
      await projectAll(api);
    };
    const unread = async () =>
      (await api.call('GET', `${PATH}?userId=otto`)).body.conversations.map(
        (summary: { unreadCount: number; messageCount: number }) => [
          summary.unreadCount,
          summary.messageCount,
        ],
      );
    await remove(second);
    expect(await unread()).toEqual([[3, 4]]);
    const page = await api.call('GET', `${PATH}/${id}/messages?userId=otto`);
    const [{ seq }] = page.body.messages;
    const marked = await api.call('PUT', `${PATH}/${id}/read`, { userId: 'otto', seq });
    expect(marked.body).toEqual({ unreadCount: 2 });
    await remove(fourth, '?erase=true');
    expect((await api.call('PUT', `${PATH}/${id}/read`, { userId: 'otto', seq })).body).toEqual({
      unreadCount: 1,
    });
    // What was seen already takes nothing away when it goes.
    await remove(first);
    expect((await api.call('PUT', `${PATH}/${id}/read`, { userId: 'otto', seq })).body).toEqual({
      unreadCount: 1,
    });
  });

  /** Moves the activity of conversations to other times, as if their messages had come then. */
  async function moveActivity(times: ReadonlyMap<string, string>): Promise<void> {
    const values = [[...times.keys()], [...times.values()]];
    const moved = 'unnest($1::text[], $2::timestamptz[]) AS n (id, at)';
    const bucket = 'floor(extract(epoch FROM n.at) / 3600)::int';
    const { pool } = api.database;
    const conversations = `UPDATE inbox_v1.inbox_conversations c SET last_activity_at = n.at, activity_bucket = ${bucket}
      FROM ${moved} WHERE c.conversation_id = n.id`;
    await pool.query(conversations, values);
    const entries = `UPDATE inbox_v1.inbox_entries e SET activity_bucket = ${bucket}
      FROM ${moved} WHERE e.conversation_id = n.id`;
    await pool.query(entries, values);
  }

  async function allPages(userId: string, limit: number): Promise<string[]> {
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const after: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const { body } = await api.call('GET', `${PATH}?userId=${userId}&limit=${limit}${after}`);
      seen.push(...body.conversations.map(({ id }: { id: string }) => id));
      cursor = body.nextCursor;
    }
    return seen;
  }

  it('goes through all pages, each conversation once, when all were active at the same time', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 7; i++) ids.push(await create({ userId: 'pager', title: `${i}` }));
    await projectAll(api);
    // The id then decides, and the cursor must know it.
    await moveActivity(new Map(ids.map((id) => [id, '2026-01-01T10:30:00Z'])));
    expect(await allPages('pager', 3)).toEqual(ids.sort());
  });

  it('goes through all pages in the order of activity, within an hour and over many', async () => {
    const minutes = [0, 1, 2, 58, 59, 60, 61, 119, 120, 500, 501, 502];
    const byAge: string[] = [];
    for (const _ of minutes) byAge.push(await create({ userId: 'reader' }));
    await projectAll(api);
    const at = (minute: number) =>
      new Date(Date.parse('2026-01-01T10:00:00Z') - minute * 60_000).toISOString();
    await moveActivity(new Map(byAge.map((id, n) => [id, at(minutes[n] ?? 0)])));
    for (const limit of [1, 2, 3, 5, 11, 12]) expect(await allPages('reader', limit)).toEqual(byAge);
  });

  it('lists an open conversation for who posted to it, and a closed one no more for who was removed', async () => {
    const open = await create({ userId: 'otto', visibility: 'open' });
    const closed = await create({ userId: 'otto', participantIds: ['guest'] });
    await post(open, 'guest', 'hi');
    await post(closed, 'guest', 'hi');
    const guest = { userId: 'otto', participantIds: ['guest'] };
    await api.call('DELETE', `${PATH}/${closed}/participants`, guest);
    await projectAll(api);
    const { conversations } = (await api.call('GET', PATH, undefined, { 'X-User-Id': 'guest' })).body;
    expect(conversations.map(({ id }: { id: string }) => id)).toEqual([open]);
  });

  it('refuses a cursor that the server did not make', async () => {
    const forged = Buffer.from("1.c_' OR 1=1").toString('base64url');
    const answer = await api.call('GET', `${PATH}?userId=lena&cursor=${forged}`);
    expect([answer.status, answer.body.errors[0].path]).toEqual([400, 'cursor']);
  });
});
