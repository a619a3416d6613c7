import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PARTITION_GROUPS } from '../../../src/contracts/events/subjects.ts';
import { startTestApi, type TestApi } from '../../support/http/httpApi.ts';
import { PATIENCE_MS } from '../../support/http/patientProgress.ts';
import { createMigratedDatabase, projectAll } from '../../support/projections/historyDatabase.ts';
import type { TestDatabase } from '../../support/servers/postgres.ts';
import { waitFor } from '../../support/time/waitFor.ts';

const PATH = '/api/chat/messages';
let database: TestDatabase;
let api: TestApi;
let conversationId: string;

beforeAll(async () => {
  database = await createMigratedDatabase();
  api = await startTestApi({ databaseUrl: database.url });
});
afterAll(async () => {
  await api.stop();
  await database.drop();
});
beforeEach(async () => {
  api.progress.patienceMs = PATIENCE_MS;
  const body = { userId: 'alice', participantIds: ['bob'] };
  conversationId = (await api.call('POST', '/api/chat/conversations', body)).body.conversation.id;
});

function post(content: string, more: object = {}) {
  return api.call('POST', PATH, { conversationId, userId: 'alice', content, ...more });
}

function history(query = '', userId = 'alice') {
  const path = `/api/chat/conversations/${conversationId}/messages?userId=${userId}${query}`;
  return api.call('GET', path);
}

describe('posting a message', () => {
  it('answers 201 with the message as accepted by the log', async () => {
    const { status, body } = await post('hello', { clientMessageId: 'k1', attachments: [] });
    expect(status).toBe(201);
    expect(body).toMatchObject({ level: 'accepted', duplicate: false, position: `memory:${body.seq}` });
    const fresh = { reactions: {}, attachments: [], replyTo: null, editedAt: null, deletedAt: null };
    expect(body.message).toMatchObject({ content: 'hello', userId: 'alice', seq: body.seq, ...fresh });
    expect(body.seq).toBe(await api.eventsInLog());
  });

  it('answers after the commit when the client prefers that, and says so', async () => {
    const prefer = (value: string) =>
      api.call('POST', PATH, { conversationId, userId: 'alice', content: value }, { Prefer: value });
    const stored = await api.eventsInLog();
    const answers = ['wait=durable', 'respond-async, Wait="durable"'].map(prefer);
    await waitFor('both to be stored', async () => (await api.eventsInLog()) === stored + 2);
    expect((await prefer('wait=10')).body.level).toBe('accepted');
    for (let group = 0; group < PARTITION_GROUPS; group++) {
      api.progress.announce({ group, seq: await api.eventsInLog(), parked: [] });
    }
    for (const { status, headers, body } of await Promise.all(answers)) {
      expect([status, body.level, headers.get('preference-applied')]).toEqual([
        201,
        'durable',
        'wait=durable',
      ]);
    }
  });

  it('answers a repeat with 200 and the message that is stored, and one with other words with 409', async () => {
    const first = await post('said once', { clientMessageId: 'k1' });
    const events = await api.eventsInLog();
    const repeat = await post('said once', { clientMessageId: 'k1' });
    expect(repeat.status).toBe(200);
    expect(repeat.body).toEqual({ ...first.body, duplicate: true });
    const reused = await post('said differently', { clientMessageId: 'k1' });
    expect([reused.status, reused.body.code]).toEqual([409, 'client_message_id_reused']);
    expect(await api.eventsInLog()).toBe(events);
  });

  it('makes two messages of the same words without a clientMessageId', async () => {
    const ids = [(await post('again')).body.message.messageId, (await post('again')).body.message.messageId];
    expect(new Set(ids).size).toBe(2);
  });

  it('answers 404 to a stranger, as for a conversation that is not there', async () => {
    const answer = await post('let me in', { userId: 'eve' });
    expect([answer.status, answer.body.code]).toEqual([404, 'not_found']);
  });

  it('refuses new messages in an archived conversation with 409', async () => {
    await api.call('PATCH', `/api/chat/conversations/${conversationId}`, { userId: 'alice', archived: true });
    const answer = await post('too late');
    expect([answer.status, answer.body.code]).toEqual([409, 'conflict']);
  });
});

describe('changing a message', () => {
  it('edits with and without its place in the log, and history shows the last words', async () => {
    const { message, seq } = (await post('frist')).body;
    const body = { conversationId, userId: 'alice' };
    const edited = await api.call('PATCH', `${PATH}/${message.messageId}`, { ...body, content: 'fisrt' });
    expect(edited.status).toBe(200);
    expect(edited.body).toMatchObject({ messageId: message.messageId, seq: seq + 1 });
    await api.call('PATCH', `${PATH}/${message.messageId}`, { ...body, content: 'first', seq });
    await projectAll(api);
    const [shown] = (await history()).body.messages;
    expect(shown).toMatchObject({ content: 'first', seq, at: message.at });
    expect(shown.editedAt >= edited.body.editedAt).toBe(true);
  });

  it('deletes: the place stays, the content goes', async () => {
    const { message } = (await post('oops')).body;
    const body = { conversationId, userId: 'alice' };
    const deleted = await api.call('DELETE', `${PATH}/${message.messageId}`, body);
    expect(deleted.status).toBe(200);
    await projectAll(api);
    const [shown] = (await history()).body.messages;
    expect(shown).toMatchObject({
      messageId: message.messageId,
      content: '',
      deletedAt: deleted.body.deletedAt,
    });
  });

  it('erases: nothing that was said is left in the log, in history or in search', async () => {
    const { message, seq } = (await post('my secret')).body;
    await post('an answer', { userId: 'bob', replyTo: message.messageId });
    const body = { conversationId, userId: 'alice' };
    await api.call('PATCH', `${PATH}/${message.messageId}`, { ...body, content: 'my secret, edited' });
    await projectAll(api);
    const erased = await api.call('DELETE', `${PATH}/${message.messageId}?erase=true`, body);
    expect(erased.status).toBe(200);
    expect(erased.body).toMatchObject({ messageId: message.messageId, erased: 2 });
    expect(await api.log.at(seq)).toBeNull();
    await projectAll(api);
    const { pool } = api.database;
    const secrets = `SELECT FROM history_v1.messages WHERE content LIKE '%secret%' UNION ALL
      SELECT FROM search_v1.search_documents WHERE tsv @@ to_tsquery('simple', 'secret')`;
    expect((await pool.query(secrets)).rowCount).toBe(0);
    const [shown, answer] = (await history()).body.messages;
    const { deletedAt } = erased.body;
    expect(shown).toMatchObject({ seq, userId: 'alice', content: '', deletedAt, editedAt: null });
    expect(answer).toMatchObject({ content: 'an answer', replyTo: message.messageId });
    const again = await api.call('DELETE', `${PATH}/${message.messageId}?erase=true`, body);
    expect([again.status, again.body.code]).toEqual([404, 'not_found']);
  });

  it('shows reactions by kind, each user once, in the order in which they came', async () => {
    const { message, seq } = (await post('well?')).body;
    const react = (method: string, userId: string, emoji: string, more: object = {}) =>
      api.call(method, `${PATH}/${message.messageId}/reactions/${encodeURIComponent(emoji)}`, {
        conversationId,
        userId,
        ...more,
      });
    const added = await react('PUT', 'bob', '👍🏽');
    expect(added.status).toBe(200);
    expect(added.body).toMatchObject({ messageId: message.messageId, seq: seq + 1, emoji: '👍🏽' });
    for (const [method, userId, emoji] of [
      ['PUT', 'alice', '👍🏽'],
      ['PUT', 'bob', '👍🏽'],
      ['PUT', 'bob', '❤'],
      ['PUT', 'bob', '❤️'],
      ['PUT', 'alice', ':gone:'],
      ['DELETE', 'alice', ':gone:'],
    ] as const) {
      expect((await react(method, userId, emoji, { seq })).status).toBe(200);
    }
    await projectAll(api);
    const [shown] = (await history()).body.messages;
    expect(shown.reactions).toEqual({ '👍🏽': ['bob', 'alice'], '❤️': ['bob'] });
    expect((await react('PUT', 'eve', '👍🏽')).status).toBe(404);
  });

  it('reads reactions of earlier versions: one spelling of each, 50 kinds at most, and they can be taken back', async () => {
    const { message } = (await post('well?')).body;
    const { messageId } = message;
    const { log } = api.realtime.context.application;
    const base = { v: 1, conversationId, userId: 'bob', messageId, at: '2026-01-01T00:00:00.000Z' } as const;
    for (const emoji of ['❤', 'tea', ...Array.from({ length: 100 }, (_, n) => `k${n}`)]) {
      const bytes = Buffer.from(JSON.stringify({ type: 'ReactionAdded', ...base, emoji }));
      await log.append({ conversationId, category: 'message', bytes, idempotencyKey: `old-${emoji}` });
    }
    const react = async (method: string, emoji: string) =>
      api.call(method, `${PATH}/${messageId}/reactions/${encodeURIComponent(emoji)}`, {
        conversationId,
        userId: 'bob',
      });
    const shown = async () => Object.keys((await history()).body.messages[0].reactions);
    await projectAll(api);
    expect(await shown()).toHaveLength(50);
    expect((await shown()).slice(0, 2)).toEqual(['❤️', 'tea']);
    expect((await react('PUT', '👍')).body.code).toBe('conflict');
    for (const emoji of ['❤️', 'tea']) expect((await react('DELETE', emoji)).status).toBe(200);
    await projectAll(api);
    expect((await shown()).slice(0, 2)).toEqual(['k0', 'k1']);
  });

  it.each(['tea', '👍👍', '1', ':a b:'])('refuses the reaction %j as invalid_request', async (emoji) => {
    const { message } = (await post('well?')).body;
    const path = `${PATH}/${message.messageId}/reactions/${encodeURIComponent(emoji)}`;
    const { status, body } = await api.call('PUT', path, { conversationId, userId: 'bob' });
    expect([status, body.code, body.errors[0].path]).toEqual([400, 'invalid_request', 'emoji']);
  });

  it('answers 403 to others than its author, and 404 for a message that is not there', async () => {
    const { message } = (await post('mine')).body;
    const theirs = { conversationId, userId: 'bob', content: 'yours' };
    const foreign = await api.call('PATCH', `${PATH}/${message.messageId}`, theirs);
    expect([foreign.status, foreign.body.code]).toEqual([403, 'forbidden']);
    const missing = await api.call('DELETE', `${PATH}/m_0000000000000000000000`, {
      conversationId,
      userId: 'bob',
    });
    expect([missing.status, missing.body.code]).toEqual([404, 'not_found']);
  });
});

describe('reading history', () => {
  const contents = (answer: { body: { messages: { content: string }[] } }) =>
    answer.body.messages.map(({ content }) => content).join('');

  it('gives the latest messages, oldest first, and pages both ways by sequence', async () => {
    const seqs = [];
    for (const letter of 'abcdefg') seqs.push((await post(letter)).body.seq);
    await projectAll(api);
    const latest = await history('&limit=3');
    expect(contents(latest)).toBe('efg');
    expect(latest.body).toMatchObject({ hasMore: true, source: 'database', lag: { events: 0, seconds: 0 } });
    const before = await history(`&limit=4&before=${seqs[4]}`);
    expect([contents(before), before.body.hasMore]).toEqual(['abcd', false]);
    const after = await history(`&limit=4&after=${seqs[1]}`);
    expect([contents(after), after.body.hasMore]).toEqual(['cdef', true]);
    const rest = await history(`&limit=4&after=${seqs[5]}`);
    expect([contents(rest), rest.body.hasMore]).toEqual(['g', false]);
  });

  it('gives fifty unless told how many', async () => {
    for (let n = 0; n < 51; n++) await post(`${n} `);
    await projectAll(api);
    const { body } = await history();
    expect([body.messages.length, body.hasMore]).toEqual([50, true]);
    expect(body.messages.at(-1).content).toBe('50 ');
  });

  it('gives a message exactly as the answer to posting it did', async () => {
    const { message } = (await post('„quotes" \\ \n \u0001 😀 </script>')).body;
    await projectAll(api);
    expect((await history()).body.messages).toEqual([message]);
  });

  it('is empty for a conversation without messages', async () => {
    await projectAll(api);
    expect((await history()).body).toMatchObject({ messages: [], hasMore: false });
  });

  it('answers 404 to strangers, though the messages are there', async () => {
    await post('secret');
    await projectAll(api);
    expect((await history('', 'eve')).status).toBe(404);
  });

  it('says how far it is behind the log', async () => {
    await projectAll(api);
    await post('not there yet');
    await api.logHead.ask();
    const { body } = await history();
    expect(body.messages).toEqual([]);
    expect(body.lag.events).toBe(1);
    expect(body.lag.seconds).toBeLessThan(5);
  });

  it('waits for a position and then shows what was written before it', async () => {
    await projectAll(api);
    const { position } = (await post('my own words')).body;
    const reading = history(`&position=${position}`);
    // The read is under way and found too little when the projector commits and says so.
    const seq = await projectAll(api);
    for (let group = 0; group < PARTITION_GROUPS; group++) api.progress.announce({ group, seq, parked: [] });
    expect(contents(await reading)).toBe('my own words');
  });

  it('does not wait for a position that the database has passed already, announced or not', async () => {
    const { position } = (await post('long there')).body;
    await projectAll(api);
    const startedMs = performance.now();
    expect(contents(await history(`&position=${position}`))).toBe('long there');
    expect(performance.now() - startedMs).toBeLessThan(PATIENCE_MS / 2);
  });

  it('answers from the log when the position does not come in time', async () => {
    api.progress.patienceMs = null;
    await projectAll(api);
    const { position } = (await post('stuck')).body;
    await api.logHead.ask();
    const { status, body } = await history(`&position=${position}`);
    expect([status, contents({ body }), body.source, body.lag.events]).toEqual([200, 'stuck', 'log', 0]);
  });

  it('answers from the log at once when the conversation waits aside', async () => {
    const { position, seq } = (await post('parked')).body;
    await projectAll(api);
    await api.database.pool.query('UPDATE projection_checkpoints SET seq = seq - 1');
    const parked = [conversationId];
    for (let group = 0; group < PARTITION_GROUPS; group++) api.progress.announce({ group, seq, parked });
    const startedMs = performance.now();
    const { body } = await history(`&position=${position}`);
    expect([contents({ body }), body.source]).toEqual(['parked', 'log']);
    expect(performance.now() - startedMs).toBeLessThan(PATIENCE_MS / 2);
  });

  it('answers 409 to a position of another incarnation of the log', async () => {
    const answer = await history('&position=e123:1');
    expect([answer.status, answer.body.code]).toEqual([409, 'conflict']);
  });
});
