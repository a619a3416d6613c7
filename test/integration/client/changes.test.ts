import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import WebSocket from 'ws';
import { ChatClient, type ChatClientOptions, OutcomeUnknownError } from '../../../client/src/index.ts';
import { createConversation } from '../../../src/application/commands/createConversation.ts';
import { decodeEvent } from '../../../src/contracts/events/events.ts';
import { applicationOn } from '../../support/application/application.ts';
import { cuttableSockets } from '../../support/client/cuttableSockets.ts';
import { type RealEdge, startRealEdge } from '../../support/edge/realEdge.ts';
import { type OpenedLog, openTestLog } from '../../support/eventlog/jetStreamLog.ts';
import { storeUpload, uploadBytes } from '../../support/http/uploads.ts';
import { startTestNats } from '../../support/servers/nats.ts';
import type { TestServer } from '../../support/servers/testServer.ts';
import { waitFor } from '../../support/time/waitFor.ts';

let nats: TestServer;
let opened: OpenedLog;
let application: ReturnType<typeof applicationOn>;
let edge: RealEdge;
/** Whose sockets are open, by what the edge tells of them. */
const online: string[] = [];
const chats: ChatClient[] = [];

beforeAll(async () => {
  nats = await startTestNats();
  opened = await openTestLog(nats.url);
  application = applicationOn(opened);
  const presence = {
    connected: (userId: string) => online.push(userId),
    disconnected: (userId: string) => online.splice(online.indexOf(userId), 1),
    online: async (userIds: readonly string[]) => new Set(userIds.filter((id) => online.includes(id))),
  };
  edge = await startRealEdge(opened, { application, presence });
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
  ({ conversationId } = await createConversation(application, request));
});

function client(userId: string, options: Partial<ChatClientOptions> = {}): ChatClient {
  const url = () => `ws://127.0.0.1:${edge.port}`;
  const chat = new ChatClient({ url, userId, WebSocket, reconnectDelayMsBase: 50, ...options });
  chats.push(chat);
  return chat;
}

/** What the log holds of the conversation. */
async function stored() {
  const { lastSeq } = await opened.log.status();
  const seqs = Array.from({ length: lastSeq }, (_, n) => n + 1);
  const events = await Promise.all(seqs.map((seq) => opened.log.at(seq)));
  return events.flatMap((event, n) =>
    event?.conversationId === conversationId ? [decodeEvent(event.bytes, n + 1)] : [],
  );
}

/** A message of the room that is in the log. */
async function posted(room: ReturnType<ChatClient['join']>, content = 'hello') {
  const { messageId, seq } = await room.send(content).settled;
  if (messageId === null || seq === null) throw new Error('An acknowledged message has an id and a place');
  return { messageId, seq };
}

test('changes are seen by everybody, where their answers say that they are', async () => {
  const [alice, bob] = [client('alice').join(conversationId), client('bob').join(conversationId)];
  const seen: object[] = [];
  await waitFor('bob to be live', () => bob.state === 'live');
  bob.on('event', ({ seq, event }) => seen.push({ ...event, seq }));
  const { messageId, seq } = await posted(alice);
  const changes = [
    await alice.edit(messageId, 'better', { seq }),
    await alice.react(messageId, '👍'),
    await alice.unreact(messageId, '👍', { seq }),
    await bob.react(messageId, ':+1:'),
    await alice.delete(messageId),
  ];
  await waitFor('bob to see all', () => seen.length === 6);
  const types = ['MessageEdited', 'ReactionAdded', 'ReactionRemoved', 'ReactionAdded', 'MessageDeleted'];
  expect(seen.slice(1)).toMatchObject(
    changes.map((change, n) => ({ type: types[n], messageId, seq: change.seq, at: change.at })),
  );
  expect(seen[1]).toMatchObject({ content: 'better' });
  expect(changes[4]).not.toHaveProperty('erased');
});

test('an erasure says how many events it took out of the log', async () => {
  const room = client('alice').join(conversationId);
  const { messageId } = await posted(room, 'a secret');
  await room.edit(messageId, 'another secret');
  expect(await room.delete(messageId, { erase: true })).toMatchObject({ messageId, erased: 2 });
  expect(JSON.stringify(await stored())).not.toContain('secret');
});

test('what the domain refuses fails with what the server said', async () => {
  const [alice, bob] = [client('alice').join(conversationId), client('bob').join(conversationId)];
  const { messageId } = await posted(alice);
  const refused = { name: 'RequestRefusedError', code: 'forbidden', retryable: false };
  await expect(bob.edit(messageId, 'not mine')).rejects.toMatchObject(refused);
  await expect(bob.delete(messageId)).rejects.toMatchObject(refused);
  const missing = bob.react('m_AAAAAAAAAAAAAAAAAAAAAA', '👍');
  await expect(missing).rejects.toMatchObject({ name: 'RequestRefusedError', code: 'not_found' });
});

test('a change whose answer was lost is unknown and was made once; asking again changes nothing more', async () => {
  const cuttable = cuttableSockets();
  const room = client('alice', { WebSocket: cuttable.WebSocket }).join(conversationId);
  const { messageId } = await posted(room);
  const [first] = cuttable.sockets;
  if (first === undefined) throw new Error('No socket was opened');
  first.loses = (text) => {
    if (!text.includes('"op":"changed"')) return false;
    first.terminate();
    return true;
  };
  await expect(room.edit(messageId, 'better')).rejects.toBeInstanceOf(OutcomeUnknownError);
  await waitFor('the room to be live again', () => cuttable.sockets.length === 2 && room.state === 'live');
  const edits = async () =>
    (await stored()).flatMap((event) => (event.type === 'MessageEdited' ? event.content : []));
  expect(await edits()).toEqual(['better']);
  await room.edit(messageId, 'better');
  expect(await edits()).toEqual(['better', 'better']);
});

test('a message brings the files that its author has uploaded', async () => {
  const { id, name, sha256 } = await storeUpload(application.attachments, uploadBytes(1_000), {
    conversationId,
  });
  const room = client('alice').join(conversationId);
  const { seq } = await room.send('see this', { attachments: [id] }).settled;
  expect(await stored()).toMatchObject([{}, { content: 'see this', attachments: [{ id, name, sha256 }] }]);
  expect(seq).not.toBeNull();
  const foreign = client('bob')
    .join(conversationId)
    .send('mine', { attachments: [id] });
  await expect(foreign.settled).rejects.toMatchObject({ errors: [{ path: 'attachments.0' }] });
});

test('who is online is known by their sockets', async () => {
  const [alice, bob] = [client('alice'), client('bob')];
  bob.connect();
  await waitFor('bob to be there', () => online.includes('bob'));
  expect(await alice.presence(['alice', 'bob', 'a,b'])).toEqual({
    alice: 'online',
    bob: 'online',
    'a,b': 'offline',
  });
  bob.close();
  await waitFor('bob to be gone', () => !online.includes('bob'));
  expect(await alice.presence(['bob'])).toEqual({ bob: 'offline' });
});
