import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { createConversation } from '../../../src/application/commands/createConversation.ts';
import { Presence } from '../../../src/application/presence/presence.ts';
import { MemoryAttachments } from '../../../src/eventlog/memory/memoryAttachments.ts';
import { newEdgeId } from '../../../src/platform/ids.ts';
import { MemorySignalBus } from '../../../src/platform/signals/memorySignals.ts';
import { systemClock } from '../../../src/platform/time/clock.ts';
import { systemTimers } from '../../../src/platform/time/timers.ts';
import { applicationOn } from '../../support/application/application.ts';
import { type RealEdge, startRealEdge } from '../../support/edge/realEdge.ts';
import { SOCKETS, type SocketClient } from '../../support/edge/socketClients.ts';
import { type OpenedLog, openTestLog } from '../../support/eventlog/jetStreamLog.ts';
import { storeUpload, uploadBytes } from '../../support/http/uploads.ts';
import { startTestNats } from '../../support/servers/nats.ts';
import type { TestServer } from '../../support/servers/testServer.ts';
import { waitFor } from '../../support/time/waitFor.ts';

/** What is changed and attached over sockets, through a real edge on a real log, the same over every transport. */
let nats: TestServer;
let opened: OpenedLog;
let presence: Presence;
let edge: RealEdge;
let application: ReturnType<typeof applicationOn>;
const attachments = new MemoryAttachments();

beforeAll(async () => {
  nats = await startTestNats();
  opened = await openTestLog(nats.url);
  application = { ...applicationOn(opened), attachments };
  const signals = new MemorySignalBus().connect();
  presence = new Presence({ signals, clock: systemClock, timers: systemTimers, edgeId: newEdgeId() });
  edge = await startRealEdge(opened, { application, signals, presence });
});
afterAll(async () => {
  await edge.stop(1_000);
  presence.stop();
  await opened.close();
  await nats.stop();
  expect(edge.faults).toEqual([]);
});

const SOMEBODY_ELSES = `m_${'0'.repeat(22)}`;

describe.each(SOCKETS)('over %s', (_name, connect) => {
  let clients: Record<'alice' | 'bob' | 'mallory', SocketClient>;
  /** Who is sent what happens: bob is a member, over every transport. */
  let members: SocketClient[];
  let conversationId: string;
  let messageId: string;
  let seq: number;

  const ask = (client: SocketClient, op: string, more: object = {}) =>
    client.request(op, { conversationId, messageId, ...more });
  const say = (content: string, attached?: unknown) =>
    clients.alice.request('send', {
      conversationId,
      content,
      ...(attached !== undefined && { attachments: attached }),
    });
  /** The event that comes `others` after the next one since the message; it is the same for all members. */
  const eventAfter = async (others: number) => {
    const ofThis = ({ events }: SocketClient) =>
      events.filter(({ event }) => event.conversationId === conversationId);
    const seen = members.map((member) => waitFor('the event', () => ofThis(member)[others]));
    const [first, ...rest] = await Promise.all(seen);
    for (const event of rest) expect(event).toEqual(first);
    return first;
  };

  beforeAll(async () => {
    const open = (userId: string) => connect(edge.port, userId);
    clients = { alice: await open('alice'), bob: await open('bob'), mallory: await open('mallory') };
    members = [clients.alice, ...(await Promise.all(SOCKETS.map(([, by]) => by(edge.port, 'bob'))))];
  });
  afterAll(() => {
    for (const client of [...Object.values(clients), ...members]) client.close();
  });
  beforeEach(async () => {
    const made = { userId: 'alice', title: null, visibility: 'members', participantIds: ['bob'] } as const;
    ({ conversationId } = await createConversation(application, made));
    const sent = await say('first words');
    [messageId, seq] = [String(sent.messageId), Number(sent.seq)];
    await Promise.all(members.map((member) => member.request('join', { conversationId, after: seq })));
  });
  afterEach(() => Promise.all(members.map((member) => member.request('leave', { conversationId }))));

  test('its author edits a message: the answer says where, and everybody who follows is sent it', async () => {
    const changed = { messageId, seq: seq + 1, position: expect.any(String), at: expect.any(String) };
    expect(await ask(clients.alice, 'edit', { content: 'better words', seq })).toEqual(changed);
    expect(await eventAfter(0)).toMatchObject({
      seq: seq + 1,
      prev: seq,
      event: { type: 'MessageEdited', messageId, userId: 'alice', content: 'better words' },
    });
  });

  test('its author deletes a message: the answer says where, and nothing of an erasure', async () => {
    const deleted = await ask(clients.alice, 'delete');
    expect(deleted).toMatchObject({ messageId, seq: seq + 1 });
    expect(deleted).not.toHaveProperty('erased');
    expect(await eventAfter(0)).toMatchObject({ prev: seq, event: { type: 'MessageDeleted', messageId } });
  });

  test('its author erases a message: who comes later is sent nothing of what was said', async () => {
    await ask(clients.alice, 'edit', { content: 'more words' });
    expect(await ask(clients.alice, 'delete', { erase: true })).toMatchObject({ seq: seq + 2, erased: 2 });
    expect(await eventAfter(1)).toMatchObject({ event: { type: 'MessageDeleted', erased: { seq } } });
    const late = await connect(edge.port, 'bob');
    await late.request('join', { conversationId, after: 0 });
    await waitFor('the past', () => late.events.at(-1)?.seq === seq + 2);
    expect(JSON.stringify(late.events)).not.toContain('words');
    late.close();
  });

  test('a user who may see a message reacts to it, and takes that back', async () => {
    const reaction = { messageId, userId: 'bob', emoji: '👍' };
    expect(await ask(clients.bob, 'react', { emoji: '👍' })).toMatchObject({ messageId, seq: seq + 1 });
    expect(await eventAfter(0)).toMatchObject({ event: { type: 'ReactionAdded', ...reaction } });
    expect(await ask(clients.bob, 'unreact', { emoji: '👍', seq })).toMatchObject({
      messageId,
      seq: seq + 2,
    });
    expect(await eventAfter(1)).toMatchObject({
      prev: seq + 1,
      event: { type: 'ReactionRemoved', ...reaction },
    });
  });

  test('a message shows the facts of its uploads, whatever the client says of them', async () => {
    const [one, two] = await Promise.all(
      [1, 2].map(async (n) => {
        const facts = await storeUpload(attachments, uploadBytes(n * 10), {
          conversationId,
          name: `${n}.pdf`,
        });
        const { id, name, mediaType, bytes, sha256 } = facts;
        return { id, name, mediaType, bytes, sha256 };
      }),
    );
    const sent = await say('look', [two?.id, { ...one, name: 'evil.html', bytes: 1 }]);
    expect(sent).toMatchObject({ seq: seq + 1, level: 'accepted', duplicate: false });
    expect(await eventAfter(0)).toMatchObject({
      event: { type: 'MessagePosted', content: 'look', attachments: [two, one] },
    });
  });

  test.each([
    ['empty words', { content: '' }],
    ['no words', {}],
  ])('a message may be files alone, with %s, and nothing is none', async (_what, words) => {
    const { id } = await storeUpload(attachments, uploadBytes(9), { conversationId });
    const send = (more: object) => clients.alice.request('send', { conversationId, ...words, ...more });
    expect(await send({ attachments: [id] })).toMatchObject({ seq: seq + 1, level: 'accepted' });
    expect(await eventAfter(0)).toMatchObject({ event: { content: '', attachments: [{ id }] } });
    for (const more of [{}, { attachments: [] }]) {
      expect(await send(more)).toMatchObject({
        error: { code: 'invalid_request', errors: [{ path: 'content' }] },
      });
    }
  });

  test.each([
    ['that is not there', async () => 'u_aaaaaaaaaaaaaaaaaaaaa'],
    [
      'of somebody else',
      async () => (await storeUpload(attachments, uploadBytes(9), { conversationId, userId: 'bob' })).id,
    ],
    ['to another conversation', async () => (await storeUpload(attachments, uploadBytes(9))).id],
  ])('an upload %s cannot be attached', async (_what, upload) => {
    const answer = await say('look', [await upload()]);
    expect(answer).toMatchObject({ error: { code: 'invalid_request', errors: [{ path: 'attachments.0' }] } });
    const { seq: next } = await say('nothing in between');
    expect(await eventAfter(0)).toMatchObject({ seq: next, prev: seq });
  });

  test('any user asks who is online, also after one of them has gone', async () => {
    const [proto, carol] = [await connect(edge.port, '__proto__'), await connect(edge.port, 'carol')];
    const look = () => proto.request('presence', { userIds: ['carol', '__proto__', 'nobody'] });
    expect(Object.entries((await look()).presence as object)).toEqual([
      ['carol', 'online'],
      ['__proto__', 'online'],
      ['nobody', 'offline'],
    ]);
    carol.close();
    await waitFor('carol to be gone', async () => JSON.stringify(await look()).includes('"carol":"offline"'));
    proto.close();
  });

  test.each<['alice' | 'bob' | 'mallory', string, string, object]>([
    ['bob', 'forbidden', 'edit', { content: 'not mine' }],
    ['bob', 'forbidden', 'delete', {}],
    ['bob', 'forbidden', 'delete', { erase: true }],
    ['mallory', 'not_found', 'edit', { content: 'x' }],
    ['mallory', 'not_found', 'delete', { erase: true }],
    ['mallory', 'not_found', 'react', { emoji: '👍' }],
    ['mallory', 'not_found', 'unreact', { emoji: '👍' }],
    ['mallory', 'not_found', 'send', { messageId: undefined, content: 'x' }],
    ['alice', 'not_found', 'edit', { content: 'x', messageId: SOMEBODY_ELSES }],
    ['alice', 'not_found', 'delete', { seq: 1 }],
    ['alice', 'invalid_request', 'edit', { content: '' }],
    ['alice', 'invalid_request', 'edit', {}],
    ['alice', 'invalid_request', 'edit', { content: 'x', userId: 'bob' }],
    ['alice', 'invalid_request', 'edit', { content: 'x', seq: -1 }],
    ['alice', 'invalid_request', 'delete', { messageId: 'm_*' }],
    ['alice', 'invalid_request', 'delete', { conversationId: 'c_>' }],
    ['alice', 'invalid_request', 'delete', { erase: 'true' }],
    ['alice', 'invalid_request', 'react', { emoji: 'a b' }],
    ['alice', 'invalid_request', 'react', {}],
    ['alice', 'invalid_request', 'unreact', { emoji: 7 }],
    ['alice', 'invalid_request', 'presence', { userIds: [] }],
    ['alice', 'invalid_request', 'presence', { userIds: 'alice' }],
    ['alice', 'invalid_request', 'send', { messageId: undefined, content: 'x', attachments: 'u_1' }],
    ['alice', 'invalid_request', 'send', { messageId: undefined, content: 'x', attachments: ['../x'] }],
  ])(
    '%s is answered %s to %s %j; nobody is sent anything, and the connection goes on',
    async (who, code, op, more) => {
      const client = clients[who];
      const { error } = await ask(client, op, more);
      expect(error).toMatchObject({ code, retryable: false });
      expect(await client.request('ping')).toEqual({});
      const { seq: next } = await say('nothing in between');
      expect(await eventAfter(0)).toMatchObject({ seq: next, prev: seq });
    },
  );
});

test.each([
  ['no JSON', '{"op":"edit"', null],
  ['a list', '[{"op":"delete","id":1}]', null],
  ['no operation', '{"id":1}', 1],
  ['no number', '{"op":"presence","userIds":["a"]}', null],
  ['a number that is none', '{"op":"presence","id":"1","userIds":["a"]}', null],
  ['a field twice over, in its prototype', '{"op":"presence","id":1,"userIds":["a"],"__proto__":{}}', 1],
  ['too deep a nesting', `{"op":"edit","id":1,"content":${'['.repeat(5_000)}${']'.repeat(5_000)}}`, 1],
])(
  'a native frame of %s is answered invalid_request with its number, if there is one',
  async (_what, text, id) => {
    const socket = new WebSocket(`ws://127.0.0.1:${edge.port}/ws?userId=alice`);
    const frames: unknown[] = [];
    socket.on('message', (data) => frames.push(JSON.parse(data.toString())));
    await waitFor('the connection', () => socket.readyState === WebSocket.OPEN);
    socket.send(text);
    socket.send('{"op":"ping","id":2}');
    await waitFor('both answers', () => frames.length === 2);
    expect(frames).toMatchObject([
      { op: 'error', id, code: 'invalid_request' },
      { op: 'pong', id: 2 },
    ]);
    socket.terminate();
  },
);
