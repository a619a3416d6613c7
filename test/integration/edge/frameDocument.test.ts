import { io, type Socket } from 'socket.io-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { addParticipants, removeParticipants } from '../../../src/application/commands/changeParticipants.ts';
import { createConversation } from '../../../src/application/commands/createConversation.ts';
import { postMessage } from '../../../src/application/commands/postMessage.ts';
import { applicationOn } from '../../support/application/application.ts';
import { asyncApi, messagesLike } from '../../support/documents/documentedFrames.ts';
import { openEventStream } from '../../support/edge/eventStreams.ts';
import { type RealEdge, startRealEdge } from '../../support/edge/realEdge.ts';
import { type OpenedLog, openTestLog } from '../../support/eventlog/jetStreamLog.ts';
import { startTestApi, type TestApi } from '../../support/http/httpApi.ts';
import { startTestNats } from '../../support/servers/nats.ts';
import type { TestServer } from '../../support/servers/testServer.ts';
import { waitFor } from '../../support/time/waitFor.ts';

/** Frames of a real edge against the AsyncAPI document. */
let nats: TestServer;
let opened: OpenedLog;
let edge: RealEdge;
let stopEdge: () => Promise<void>;
beforeAll(async () => {
  nats = await startTestNats();
  opened = await openTestLog(nats.url);
});
beforeEach(async () => {
  edge = await startRealEdge(opened);
  stopEdge = once(() => edge.stop(1_000));
});
afterEach(() => stopEdge());
afterAll(async () => {
  await opened.close();
  await nats.stop();
});

/** Runs once only: a test stops what is stopped after every test. */
function once(stop: () => Promise<void>): () => Promise<void> {
  let stopped: Promise<void> | null = null;
  return () => {
    stopped ??= stop();
    return stopped;
  };
}

async function prepare() {
  const application = applicationOn(opened);
  const made = { userId: 'alice', title: 'hello', visibility: 'members', participantIds: ['bob'] } as const;
  const { conversationId } = await createConversation(application, made);
  await postMessage(application, { conversationId, userId: 'alice', content: 'hello' });
  const own = await postMessage(application, { conversationId, userId: 'bob', content: 'hi' });
  const participantIds = ['carol'];
  await addParticipants(application, { conversationId, userId: 'alice', participantIds });
  const removeBob = () =>
    removeParticipants(application, { conversationId, userId: 'alice', participantIds: ['bob'] });
  return { conversationId, messageId: own.messageId, removeBob };
}

/** Carol follows the conversation and says that she is typing. */
async function typeAsCarol(conversationId: string): Promise<Socket> {
  const socket = io(`http://127.0.0.1:${edge.port}`, { auth: { userId: 'carol' }, forceNew: true });
  await socket.timeout(5_000).emitWithAck('join', { conversationId });
  return socket.emit('typing', { conversationId });
}

/** The messages that a channel carries from the server. */
function fromServer(channel: string, isOne: (name: string) => boolean): Set<string> {
  return new Set(Object.keys(asyncApi.channels[channel]?.messages ?? {}).filter(isOne));
}

describe('native', () => {
  test('every frame is the one that the document has for it', async () => {
    const { conversationId, messageId, removeBob } = await prepare();
    const socket = new WebSocket(`ws://127.0.0.1:${edge.port}/ws?userId=bob`, 'chat.v1');
    const frames: { op: string; id?: number | null }[] = [];
    socket.on('message', (data) => frames.push(JSON.parse(data.toString())));
    await new Promise((resolve) => socket.once('open', resolve));
    const requests = [
      { op: 'join', conversationId, after: 0 },
      { op: 'send', conversationId, content: 'hi', clientMessageId: 'k1' },
      { op: 'read', conversationId, seq: 1 },
      { op: 'edit', conversationId, messageId, content: 'better' },
      { op: 'delete', conversationId, messageId, erase: true },
      { op: 'presence', userIds: ['bob'] },
      { op: 'ping' },
      { op: 'leave', conversationId },
      { op: 'join', conversationId, after: 1, epoch: 'other' },
      { op: 'fly' },
    ];
    for (const [index, request] of requests.entries()) {
      const frame = { ...request, id: index + 1 };
      const isRequest = messagesLike('native', frame).some((name) => name.endsWith('Request'));
      expect([request.op, isRequest]).toEqual([request.op, request.op !== 'fly']);
      socket.send(JSON.stringify(frame));
      await waitFor(`the answer to ${request.op}`, () => frames.some(({ id }) => id === index + 1));
    }
    socket.send(JSON.stringify({ op: 'join', id: 99, conversationId }));
    await waitFor('to have joined', () => frames.some(({ id }) => id === 99));
    const carol = await typeAsCarol(conversationId);
    await waitFor('to hear of it', () => frames.some(({ op }) => op === 'typing'));
    carol.disconnect();
    await removeBob();
    await waitFor('to be put out', () => frames.some(({ op, id }) => op === 'left' && id === null));
    await stopEdge();
    const names = frames.map((frame) => messagesLike('native', frame));
    for (const [index, name] of names.entries())
      expect([frames[index], name.length]).toEqual([frames[index], 1]);
    expect(new Set(names.flat())).toEqual(fromServer('native', (name) => name.endsWith('Frame')));
  });
});

describe('Socket.IO', () => {
  test('every event and acknowledgement is the one that the document has for it', async () => {
    const { conversationId, messageId, removeBob } = await prepare();
    const url = `http://127.0.0.1:${edge.port}`;
    const socket = io(url, { auth: { userId: 'bob' }, transports: ['websocket'], forceNew: true });
    const emitted: [string, unknown][] = [];
    socket.onAny((name, payload) => emitted.push([name, payload]));
    await waitFor('the connection', () => socket.connected);
    const asked = new Set<string>();
    const ask = async (name: string, payload: object, answer: string) => {
      asked.add(answer);
      const acknowledged = await socket.timeout(5_000).emitWithAck(name, payload);
      expect([name, acknowledged, messagesLike('socketio', acknowledged)]).toEqual([
        name,
        acknowledged,
        expect.arrayContaining([answer]),
      ]);
    };
    await ask('join', { conversationId, after: 0 }, 'JoinedFrameAck');
    await ask('send', { conversationId, content: 'hi' }, 'SentFrameAck');
    await ask('read', { conversationId, seq: 1 }, 'ReadFrameAck');
    await ask('edit', { conversationId, messageId, content: 'better' }, 'ChangedFrameAck');
    await ask('delete', { conversationId, messageId, erase: true }, 'ChangedFrameAck');
    await ask('presence', { userIds: ['bob'] }, 'PresenceFrameAck');
    await ask('typing', { conversationId }, 'TypingAck');
    await ask('ping', {}, 'PongFrameAck');
    await ask('fly', {}, 'ErrorFrameAck');
    await ask('leave', { conversationId }, 'LeftFrameAck');
    await ask('join', { conversationId, after: 1, epoch: 'other' }, 'JoinedFrameAck');
    await ask('join', { conversationId }, 'JoinedFrameAck');
    const carol = await typeAsCarol(conversationId);
    await waitFor('to hear of it', () => emitted.some(([name]) => name === 'typing'));
    carol.disconnect();
    await removeBob();
    await waitFor('to be put out', () => emitted.some(([name]) => name === 'left'));
    await stopEdge();
    const { messages = {} } = asyncApi.channels.socketio ?? {};
    for (const [name, payload] of emitted) {
      const like = messagesLike('socketio', payload).map((message) => messages[message]?.name);
      expect([name, payload, like]).toEqual([name, payload, expect.arrayContaining([name])]);
    }
    expect(asked).toEqual(fromServer('socketio', (name) => name.endsWith('Ack')));
    const emittable = fromServer('socketio', (name) => name.endsWith('Frame'));
    expect(new Set(emitted.map(([name]) => name))).toEqual(
      new Set([...emittable].map((name) => messages[name]?.name)),
    );
    socket.disconnect();
  });
});

describe('event stream', () => {
  let api: TestApi;
  let stopApi: () => Promise<void>;
  beforeEach(async () => {
    api = await startTestApi();
    stopApi = once(api.stop);
  });
  afterEach(() => stopApi());

  test('every message is the one that the document has for it', async () => {
    const of = async (path: string, body: object, method = 'POST') =>
      (await api.call(method, `/api/chat/${path}`, { userId: 'alice', ...body })).body;
    const { conversation } = await of('conversations', { title: 'hello', participantIds: ['bob'] });
    const { id: conversationId } = conversation;
    const { message } = await of('messages', { conversationId, content: 'hello' });
    await of(`messages/${message.messageId}`, { conversationId, content: 'better' }, 'PATCH');
    await of(`messages/${message.messageId}/reactions/%F0%9F%91%8D`, { conversationId }, 'PUT');
    await of(`messages/${message.messageId}?erase=true`, { conversationId }, 'DELETE');
    const url = `${api.url}/api/chat/conversations/${conversationId}/events`;
    const streams = await Promise.all([
      openEventStream(`${url}?userId=alice&after=0`),
      openEventStream(`${url}?userId=bob&after=1&epoch=other`),
    ]);
    // What has no data is no message: it says when to come back.
    const seen = () => streams.flatMap(({ messages }) => messages).filter(({ data }) => data !== undefined);
    const sees = (what: string) => waitFor(what, () => seen().some(({ event }) => event === what));
    const joined = () => seen().filter(({ event }) => event === 'joined');
    // Who is sent a resync joins again.
    await waitFor('all to have joined', () => joined().length === 3);
    api.realtime.context.signals.publish({ type: 'typing', conversationId, userId: 'carol' });
    await sees('typing');
    await of(`conversations/${conversationId}/participants`, { participantIds: ['bob'] }, 'DELETE');
    await sees('left');
    await stopApi();
    await waitFor('the end', () => streams.every(({ response }) => response.complete));
    const { messages = {} } = asyncApi.channels.eventstream ?? {};
    for (const { event, id, data = '' } of seen()) {
      const payload = JSON.parse(data);
      const like = messagesLike('eventstream', payload).map((name) => messages[name]?.name);
      expect([payload, like]).toEqual([payload, expect.arrayContaining([event])]);
      const hasId = event === undefined || event === 'joined';
      expect(id === undefined).toBe(!hasId);
      if (event === undefined) expect(id).toBe(String(payload.seq));
    }
    expect(new Set(seen().map(({ event }) => event))).toEqual(
      new Set(Object.values(messages).map(({ name }) => name)),
    );
  });
});
