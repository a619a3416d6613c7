import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { storedEvents } from '../../support/application/application.ts';
import { openMemoryEdge } from '../../support/edge/memoryEdge.ts';

type Edge = Awaited<ReturnType<typeof openMemoryEdge>>;

let edge: Edge;
let conversationId: string;
let seq: number;
let messageId: string;
beforeEach(async () => {
  edge = await openMemoryEdge();
  conversationId = await edge.newConversation('members', ['bob']);
  const sent = await edge.connect('alice').request({ op: 'send', conversationId, content: 'first words' });
  [seq, messageId] = [Number(sent.seq), String(sent.messageId)];
});
afterEach(async () => {
  expect(edge.faults).toEqual([]);
  await edge.stop();
});

const ask = (userId: string, frame: object) =>
  edge.connect(userId).request({ conversationId, messageId, ...frame });
const types = async () => (await storedEvents(edge.log)).map(({ type }) => type);

describe('over a socket', () => {
  it('its author edits and deletes a message, and the answer says where the change is', async () => {
    const edited = await ask('alice', { op: 'edit', content: 'better words', seq });
    expect(edited).toMatchObject({ op: 'changed', messageId, seq: seq + 1, position: `memory:${seq + 1}` });
    expect(await ask('alice', { op: 'delete' })).toMatchObject({ op: 'changed', seq: seq + 2 });
    expect((await types()).slice(-2)).toEqual(['MessageEdited', 'MessageDeleted']);
  });

  it('its author erases a message: nothing of what was said is left in the log', async () => {
    await ask('alice', { op: 'edit', content: 'more words' });
    expect(await ask('alice', { op: 'delete', erase: true })).toMatchObject({ op: 'changed', erased: 2 });
    expect(JSON.stringify(await storedEvents(edge.log))).not.toContain('words');
  });

  it('a user who may see it reacts, and takes it back', async () => {
    expect(await ask('bob', { op: 'react', emoji: '👍' })).toMatchObject({ op: 'changed', messageId });
    expect(await ask('bob', { op: 'unreact', emoji: '👍' })).toMatchObject({ op: 'changed' });
    const [added, removed] = (await storedEvents(edge.log)).slice(-2);
    expect([added, removed]).toMatchObject([
      { type: 'ReactionAdded', userId: 'bob', emoji: '👍' },
      { type: 'ReactionRemoved', userId: 'bob', emoji: '👍' },
    ]);
  });

  it.each([
    ['bob', 'forbidden', { op: 'edit', content: 'not mine' }],
    ['bob', 'forbidden', { op: 'delete', erase: true }],
    ['mallory', 'not_found', { op: 'edit', content: 'x' }],
    ['mallory', 'not_found', { op: 'react', emoji: '👍' }],
    ['alice', 'not_found', { op: 'edit', content: 'x', messageId: `m_${'0'.repeat(22)}` }],
    ['alice', 'not_found', { op: 'delete', seq: 1 }],
    ['alice', 'invalid_request', { op: 'edit', content: '' }],
    ['alice', 'invalid_request', { op: 'edit', content: 'x', userId: 'bob' }],
    ['alice', 'invalid_request', { op: 'react', emoji: 'a b' }],
    ['alice', 'invalid_request', { op: 'delete', messageId: 'm_*' }],
    ['alice', 'invalid_request', { op: 'delete', conversationId: 'c_>' }],
  ])('%s is answered %s to %j, and nothing is stored', async (userId, code, frame) => {
    const before = await types();
    expect(await ask(userId, frame)).toMatchObject({ op: 'error', code, retryable: false });
    expect(await types()).toEqual(before);
  });

  it('everybody asks who is online, of any name', async () => {
    const { request } = edge.connect('__proto__');
    const answer = await request({ op: 'presence', userIds: ['__proto__', 'nobody'] });
    expect(Object.entries(answer.presence as object)).toEqual([
      ['__proto__', 'online'],
      ['nobody', 'offline'],
    ]);
    expect(await request({ op: 'presence', userIds: [] })).toMatchObject({ code: 'invalid_request' });
  });
});
