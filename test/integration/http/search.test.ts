import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../../support/http/httpApi.ts';
import { createMigratedDatabase, projectAll } from '../../support/projections/historyDatabase.ts';
import type { TestDatabase } from '../../support/servers/postgres.ts';

let database: TestDatabase;
let api: TestApi;
let tea: string;
let closed: string;
let open: string;
const ids: Record<string, string> = {};

beforeAll(async () => {
  database = await createMigratedDatabase();
  api = await startTestApi({ databaseUrl: database.url });
  const create = async (body: object) =>
    (await api.call('POST', '/api/chat/conversations', body)).body.conversation.id as string;
  tea = await create({ userId: 'alice', participantIds: ['bob'] });
  closed = await create({ userId: 'carol' });
  open = await create({ userId: 'carol', visibility: 'open' });
  for (const [conversationId, userId, content] of [
    [tea, 'alice', 'Green tea or black tea?'],
    [tea, 'bob', 'Schwarzen Tee & <b>Kekse</b>, bitte'],
    [tea, 'bob', 'green GREEN green'],
    [closed, 'carol', 'my green secret'],
    [open, 'carol', 'the grass is green for everybody'],
    [tea, 'alice', 'to be deleted: green'],
    [tea, 'alice', 'was purple'],
  ] as const) {
    const { body } = await api.call('POST', '/api/chat/messages', { conversationId, userId, content });
    ids[content] = body.message.messageId;
  }
  const change = (method: string, content: string, body: object) =>
    api.call(method, `/api/chat/messages/${ids[content]}`, { conversationId: tea, userId: 'alice', ...body });
  await change('DELETE', 'to be deleted: green', {});
  await change('PATCH', 'was purple', { content: 'is greenish now' });
  await projectAll(api);
});
afterAll(async () => {
  await api.stop();
  await database.drop();
});

const search = (query: Record<string, string>) =>
  api.call('GET', `/api/chat/search?${new URLSearchParams(query)}`);
const found = async (q: string, more: Record<string, string> = {}) =>
  (await search({ userId: 'alice', q, ...more })).body.messages.map(
    ({ content }: { content: string }) => content,
  );

describe('searching', () => {
  it('finds words in one’s own conversations, the latest first', async () => {
    expect(await found('green ')).toEqual(['green GREEN green', 'Green tea or black tea?']);
    expect(await found('green', { userId: 'carol' })).toEqual([
      'the grass is green for everybody',
      'my green secret',
    ]);
    expect(await found('green', { userId: 'nobody' })).toEqual([]);
  });

  it('finds what begins with the last word, as long as nothing comes after it', async () => {
    expect(await found('gree')).toHaveLength(3);
    expect(await found('gree ')).toEqual([]);
    expect(await found('"gree"')).toEqual([]);
    expect(await found('gree tea')).toEqual([]);
    // Of two letters would be half of everything.
    expect(await found('gr')).toEqual([]);
  });

  it('knows all of them, phrases, alternatives and exclusions', async () => {
    expect(await found('green tea')).toEqual(['Green tea or black tea?']);
    expect(await found('"tea green"')).toEqual([]);
    expect(await found('kekse or black')).toHaveLength(2);
    expect(await found('green -tea')).toEqual(['green GREEN green']);
    // Everything else would be an answer as long as the log.
    expect(await found('-tea')).toEqual([]);
    expect(await found('purple')).toEqual([]);
    expect(await found('greenish')).toEqual(['is greenish now']);
  });

  it('searches one conversation that may be seen, and knows nothing of one that may not', async () => {
    expect(await found('green', { conversationId: open })).toEqual(['the grass is green for everybody']);
    expect((await search({ userId: 'alice', q: 'green', conversationId: closed })).status).toBe(404);
  });

  it('marks the words, and nothing else is markup', async () => {
    const { body } = await search({ userId: 'bob', q: '<b> Kekse' });
    const [hit] = body.messages;
    expect(hit).toMatchObject({
      conversationId: tea,
      userId: 'bob',
      content: 'Schwarzen Tee & <b>Kekse</b>, bitte',
    });
    expect(hit.highlight).toBe(
      'Schwarzen Tee &amp; &lt;<mark>b</mark>&gt;<mark>Kekse</mark>&lt;/<mark>b</mark>&gt;, bitte',
    );
  });

  it('goes through all pages', async () => {
    const first = (await search({ userId: 'alice', q: '"green"', limit: '1' })).body;
    expect(first.messages).toHaveLength(1);
    const second = (await search({ userId: 'alice', q: '"green"', limit: '1', cursor: first.nextCursor }))
      .body;
    expect(second).toMatchObject({ messages: [{ content: 'Green tea or black tea?' }], nextCursor: null });
  });

  it('finds nothing for what is no word', async () => {
    for (const q of ['-', '"', '<>', '!!! ??? :*', '-'.repeat(200), "it's '); --"]) {
      expect((await search({ userId: 'alice', q })).body).toEqual({ messages: [], nextCursor: null });
    }
  });

  const largest: Record<string, string>[] = [
    { q: '😀'.repeat(200) },
    { q: 'x'.repeat(200) },
    { q: 'green', limit: '200' },
  ];
  it.each(largest)('takes %o, which is as much as there may be', async (query) => {
    expect((await search({ userId: 'alice', ...query })).status).toBe(200);
  });

  const refused: Record<string, string>[] = [
    { q: '' },
    { q: 'x'.repeat(201) },
    { q: 'a\0b' },
    { q: 'a', cursor: 'x' },
    { q: 'a', limit: '0' },
    { q: 'a', x: '1' },
  ];
  it.each(refused)('refuses %o', async (query) => {
    const answer = await search({ userId: 'alice', ...query });
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
  });
});
