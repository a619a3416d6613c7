import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import WebSocket from 'ws';
import {
  ChatClient,
  type ChatClientOptions,
  RemovedFromConversationError,
} from '../../../client/src/index.ts';
import { removeParticipants } from '../../../src/application/commands/changeParticipants.ts';
import { createConversation } from '../../../src/application/commands/createConversation.ts';
import { postMessage } from '../../../src/application/commands/postMessage.ts';
import { decodeEvent } from '../../../src/contracts/events/events.ts';
import { applicationOn } from '../../support/application/application.ts';
import { cuttableSockets } from '../../support/client/cuttableSockets.ts';
import { type RealEdge, startRealEdge } from '../../support/edge/realEdge.ts';
import { type OpenedLog, openTestLog } from '../../support/eventlog/jetStreamLog.ts';
import { startTestNats } from '../../support/servers/nats.ts';
import type { TestServer } from '../../support/servers/testServer.ts';
import { waitFor } from '../../support/time/waitFor.ts';

let nats: TestServer;
let opened: OpenedLog;
let edge: RealEdge;
const chats: ChatClient[] = [];

const application = () => applicationOn(opened);
const startTestEdge = () => startRealEdge(opened);

/**
 * The edge stops as it does for a deployment, and another takes its place: on another port, because a free one that
 * clients knock at may be taken by anybody, even as the near end of one of their own connections.
 */
async function restartEdge(whileDown: () => void = () => {}): Promise<void> {
  await edge.stop(1_000);
  whileDown();
  edge = await startTestEdge();
}

beforeAll(async () => {
  nats = await startTestNats();
  opened = await openTestLog(nats.url);
  edge = await startTestEdge();
});

afterAll(async () => {
  await edge.stop(1_000);
  await opened.close();
  await nats.stop();
  expect(edge.faults).toEqual([]);
});

afterEach(async () => {
  for (const chat of chats.splice(0)) chat.close();
  await waitFor('the clients to be gone', () => edge.connections === 0);
});

let conversationId = '';
beforeEach(async () => {
  const request = { userId: 'alice', title: null, visibility: 'open', participantIds: [] } as const;
  ({ conversationId } = await createConversation(application(), request));
});

function client(userId: string, options: Partial<ChatClientOptions> = {}): ChatClient {
  const url = () => `ws://127.0.0.1:${edge.port}`;
  const chat = new ChatClient({ url, userId, WebSocket, reconnectDelayMsBase: 50, ...options });
  chats.push(chat);
  return chat;
}

/** Everything that the room gives, each with the one before it. */
function follow(chat: ChatClient, after = 0) {
  const room = chat.join(conversationId, { after });
  const seen: { seq: number; prev: number; content: string }[] = [];
  const resyncs: string[] = [];
  room.on('event', ({ seq, prev, event }) => {
    seen.push({ seq, prev, content: 'content' in event ? event.content : event.type });
  });
  room.on('resync', ({ reason }) => resyncs.push(reason));
  return { room, seen, resyncs };
}

function expectNoGapOrRepeat(seen: readonly { seq: number; prev: number }[]): void {
  expect(seen.map(({ prev }) => prev)).toEqual([0, ...seen.slice(0, -1).map(({ seq }) => seq)]);
}

const numbered = (count: number) => Array.from({ length: count }, (_, n) => `message ${n}`);

/** What the log holds of the conversation. */
async function stored(): Promise<string[]> {
  const { lastSeq } = await opened.log.status();
  const contents: string[] = [];
  for (let seq = 1; seq <= lastSeq; seq++) {
    const at = await opened.log.at(seq);
    if (at === null || at.conversationId !== conversationId) continue;
    const event = decodeEvent(at.bytes, seq);
    if (event.type === 'MessagePosted') contents.push(event.content);
  }
  return contents;
}

test('what one sends, another sees, in order; sending says where it is in the log', async () => {
  const alice = follow(client('alice'));
  const bob = follow(client('bob'));
  const sent = numbered(200).map((content) => alice.room.send(content));
  await Promise.all(sent.map(({ settled }) => settled));
  await waitFor('bob to see all', () => bob.seen.length === 201);
  expect(bob.seen.slice(1)).toMatchObject(sent.map(({ content, seq }) => ({ content, seq })));
  expect(sent.every(({ state, duplicate }) => state === 'accepted' && duplicate === false)).toBe(true);
  expectNoGapOrRepeat(bob.seen);
});

test('a room goes on after its socket was cut, again and again, without a gap or a repeat', async () => {
  const cuttable = cuttableSockets();
  const reader = follow(client('reader', { WebSocket: cuttable.WebSocket }));
  const writer = follow(client('writer'));
  const contents = numbered(300);
  for (const [n, content] of contents.entries()) {
    await writer.room.send(content).settled;
    if (n % 50 !== 25) continue;
    await waitFor('the reader to be connected', () => reader.room.state === 'live', { everyMs: 1 });
    cuttable.cut();
  }
  await waitFor('the reader to see all', () => reader.seen.length === 301);
  expect(reader.seen.slice(1).map(({ content }) => content)).toEqual(contents);
  expectNoGapOrRepeat(reader.seen);
  expect(reader.resyncs).toEqual([]);
  expect(cuttable.sockets).toHaveLength(7);
});

test('messages on their way survive that the server drops all sockets, each stored once and in order', async () => {
  const cuttable = cuttableSockets();
  const chat = client('alice', { WebSocket: cuttable.WebSocket, sendWindowMax: 16 });
  const { room, seen } = follow(chat);
  const sent = numbered(300).map((content) => room.send(content));
  for (const upTo of [50, 120, 200]) {
    await waitFor(`${upTo} to be acknowledged`, () => chat.pending <= 300 - upTo, { everyMs: 1 });
    cuttable.cut();
  }
  await Promise.all(sent.map(({ settled }) => settled));
  await waitFor('all to be seen', () => seen.length === 301);
  expect(await stored()).toEqual(sent.map(({ content }) => content));
  expectNoGapOrRepeat(seen);
});

test('the queue survives a restart of the edge: sent before, while it is down and after', async () => {
  const alice = client('alice');
  const { room, seen, resyncs } = follow(alice);
  const sent = [room.send('before')];
  await sent[0]?.settled;
  const burst = numbered(100).map((content) => room.send(content));
  await restartEdge(() => sent.push(...burst, room.send('while it is down')));
  sent.push(room.send('after'));
  await Promise.all(sent.map(({ settled }) => settled));
  expect(alice.pending).toBe(0);
  expect(await stored()).toEqual(sent.map(({ content }) => content));
  await waitFor('all to be seen', () => seen.length === 104);
  expectNoGapOrRepeat(seen);
  expect(resyncs).toEqual([]);
});

test('a stopping edge is left for the time it asked for, and without an error', async () => {
  const chat = client('alice');
  const states: string[] = [];
  chat.on('state', (state) => states.push(state));
  const { room } = follow(chat);
  await waitFor('the room to be live', () => room.state === 'live');
  await restartEdge();
  await waitFor('the room to be live again', () => states.length >= 6 && room.state === 'live');
  expect(states.slice(0, 4)).toEqual(['connecting', 'open', 'draining', 'waiting']);
});

test('a message whose ack was lost is sent again under its id, and is not stored twice', async () => {
  const cuttable = cuttableSockets();
  const chat = client('alice', { WebSocket: cuttable.WebSocket });
  const { room, seen } = follow(chat);
  await waitFor('the room to be live', () => room.state === 'live');
  const first = cuttable.sockets[0];
  if (first === undefined) throw new Error('No socket was opened');
  let lost = false;
  first.loses = (text) => {
    if (!text.includes('"op":"ack"')) return false;
    lost = true;
    return true;
  };
  const message = room.send('once');
  await waitFor('the ack to be lost', () => lost);
  expect(message.state).toBe('sending');
  cuttable.cut();
  await message.settled;
  expect(message).toMatchObject({ state: 'accepted', duplicate: true });
  expect(await stored()).toEqual(['once']);
  await waitFor('it to be seen', () => seen.length === 2);
  expect(seen[1]).toMatchObject({ seq: message.seq, content: 'once' });
});

test('an event that never arrived is noticed by the next one and asked for again', async () => {
  const cuttable = cuttableSockets();
  const reader = follow(client('reader', { WebSocket: cuttable.WebSocket }));
  const writer = follow(client('writer'));
  await waitFor('the rooms to be live', () => reader.room.state === 'live' && writer.room.state === 'live');
  await waitFor('the reader to have caught up', () => reader.seen.length === 1);
  let lost = 0;
  for (const socket of cuttable.sockets) {
    socket.loses = (text) => {
      const loses = lost < 2 && text.includes('"op":"event"');
      if (loses) lost += 1;
      return loses;
    };
  }
  for (const content of numbered(5)) await writer.room.send(content).settled;
  await waitFor('the reader to see all', () => reader.seen.length === 6);
  expect(lost).toBe(2);
  expectNoGapOrRepeat(reader.seen);
  expect(cuttable.sockets).toHaveLength(1);
});

test('a new client goes on where an earlier one ended', async () => {
  const first = client('alice');
  const before = follow(first);
  await before.room.send('before').settled;
  await waitFor('it to be seen', () => before.seen.length === 2);
  const { lastSeq, epoch } = before.room;
  first.close();
  const writer = follow(client('writer'));
  await writer.room.send('meanwhile').settled;
  const again = client('alice').join(conversationId, { after: lastSeq ?? 0, epoch: epoch ?? '' });
  for await (const item of again) {
    expect(item).toMatchObject({ type: 'event', prev: lastSeq, event: { content: 'meanwhile' } });
    break;
  }
});

test('a sequence of another log is a resync, after which the room goes on', async () => {
  const writer = follow(client('writer'));
  const { seq } = await writer.room.send('hello').settled;
  await waitFor('the edge to have read it', () => (writer.room.lastSeq ?? 0) >= (seq ?? 0));
  const room = client('alice').join(conversationId, { after: 1, epoch: 'anotherlog' });
  const items: string[] = [];
  for await (const item of room) {
    items.push(item.type);
    if (item.type === 'event') break;
    expect(item).toMatchObject({ reason: 'epoch', head: seq, epoch: opened.log.epoch });
    room.resumeFrom(0);
  }
  expect(items).toEqual(['resync', 'event']);
});

test('a conversation that is not open to the user refuses the room and the message', async () => {
  const request = { userId: 'bob', title: null, visibility: 'members', participantIds: [] } as const;
  const closed = await createConversation(application(), request);
  const room = client('alice').join(closed.conversationId);
  const errors: unknown[] = [];
  room.on('error', (error) => errors.push(error));
  await expect(room.send('hi').settled).rejects.toMatchObject({ code: 'not_found' });
  await waitFor('the room to end', () => room.state === 'ended');
  expect(errors).toMatchObject([{ name: 'RequestRefusedError', code: 'not_found' }]);
});

test('the inbox shows every conversation of the user, also across a restart of the edge, and nobody else sees it', async () => {
  const members = async (...participantIds: string[]) => {
    const wanted = { userId: 'alice', title: null, visibility: 'members', participantIds } as const;
    return (await createConversation(application(), wanted)).conversationId;
  };
  const say = (id: string, content: string) =>
    postMessage(application(), { conversationId: id, userId: 'alice', content });
  const [first, foreign] = [await members('bob'), await members()];
  const inbox = client('bob').join('*');
  const contents: string[] = [];
  inbox.on('event', ({ event }) => {
    if (event.type === 'MessagePosted') contents.push(event.content);
  });
  await waitFor('the inbox to be live', () => inbox.state === 'live');
  await say(first, 'one');
  await say(foreign, 'not for bob');
  await waitFor('the first', () => contents.length === 1);
  const second = await members('bob');
  await restartEdge(() => {});
  await say(second, 'two');
  await say(first, 'three');
  await waitFor('the rest', () => contents.length === 3);
  expect(contents.sort()).toEqual(['one', 'three', 'two']);
});

test('who types is told to the others, and who is removed learns that the room has ended', async () => {
  const wanted = { userId: 'alice', title: null, visibility: 'members', participantIds: ['bob'] } as const;
  const { conversationId: id } = await createConversation(application(), wanted);
  const [alice, bob] = [client('alice').join(id), client('bob').join(id)];
  await waitFor('both rooms to be live', () => alice.state === 'live' && bob.state === 'live');
  const typing: string[] = [];
  bob.on('typing', ({ userId }) => typing.push(userId));
  alice.typing();
  await waitFor('bob to hear it', () => typing.length === 1);
  expect(typing).toEqual(['alice']);
  const ended = new Promise<Error>((resolve) => bob.on('error', resolve));
  await removeParticipants(application(), { conversationId: id, userId: 'alice', participantIds: ['bob'] });
  expect(await ended).toBeInstanceOf(RemovedFromConversationError);
  expect(alice.state).toBe('live');
});
