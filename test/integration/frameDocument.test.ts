import { io } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { addParticipants, removeParticipants } from '../../src/application/changeParticipants.ts';
import { createConversation } from '../../src/application/createConversation.ts';
import { postMessage } from '../../src/application/postMessage.ts';
import { asyncApi, messagesLike } from '../support/documentedFrames.ts';
import { type OpenedLog, openTestLog } from '../support/jetStreamLog.ts';
import { startTestNats } from '../support/nats.ts';
import { applicationOn, type RealEdge, startRealEdge } from '../support/realEdge.ts';
import type { TestServer } from '../support/testServer.ts';
import { waitFor } from '../support/waitFor.ts';

/** Frames of a real edge against the AsyncAPI document. */
let nats: TestServer;
let opened: OpenedLog;
let edge: RealEdge;
beforeAll(async () => {
  nats = await startTestNats();
  opened = await openTestLog(nats.url);
  edge = await startRealEdge(opened);
});
afterAll(async () => {
  await edge.stop(1_000);
  await opened.close();
  await nats.stop();
});

async function prepare() {
  const application = applicationOn(opened);
  const made = { userId: 'alice', title: 'hello', visibility: 'members', participantIds: ['bob'] } as const;
  const { conversationId, seq } = await createConversation(application, made);
  await postMessage(application, { conversationId, userId: 'alice', content: 'hello' });
  const participantIds = ['carol'];
  await addParticipants(application, { conversationId, userId: 'alice', participantIds });
  const removeBob = () =>
    removeParticipants(application, { conversationId, userId: 'alice', participantIds: ['bob'] });
  return { conversationId, seq, removeBob };
}

describe('native', () => {
  test('every frame is the one that the document has for it', async () => {
    const { conversationId, removeBob } = await prepare();
    const socket = new WebSocket(`ws://127.0.0.1:${edge.port}/ws?userId=bob`, 'chat.v1');
    const frames: { op: string; id?: number | null }[] = [];
    socket.on('message', (data) => frames.push(JSON.parse(data.toString())));
    await new Promise((resolve) => socket.once('open', resolve));
    const requests = [
      { op: 'join', conversationId, after: 0 },
      { op: 'send', conversationId, content: 'hi', clientMessageId: 'k1' },
      { op: 'read', conversationId, seq: 1 },
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
    socket.send(JSON.stringify({ op: 'join', id: 9, conversationId }));
    await waitFor('to have joined', () => frames.some(({ id }) => id === 9));
    await removeBob();
    await waitFor('to be put out', () => frames.some(({ op, id }) => op === 'left' && id === null));
    const names = frames.map((frame) => messagesLike('native', frame));
    for (const [index, name] of names.entries())
      expect([frames[index], name.length]).toEqual([frames[index], 1]);
    expect(new Set(names.flat())).toEqual(
      new Set(
        ['Joined', 'Left', 'Sent', 'Read', 'Pong', 'Event', 'Resync', 'Error'].map((name) => `${name}Frame`),
      ),
    );
    socket.terminate();
  });
});

describe('Socket.IO', () => {
  test('every event and acknowledgement is the one that the document has for it', async () => {
    const { conversationId, removeBob } = await prepare();
    const url = `http://127.0.0.1:${edge.port}`;
    const socket = io(url, { auth: { userId: 'bob' }, transports: ['websocket'], forceNew: true });
    const emitted: [string, unknown][] = [];
    socket.onAny((name, payload) => emitted.push([name, payload]));
    await waitFor('the connection', () => socket.connected);
    const ask = async (name: string, payload: object, answer: string) => {
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
    await ask('ping', {}, 'PongFrameAck');
    await ask('fly', {}, 'ErrorFrameAck');
    await ask('leave', { conversationId }, 'LeftFrameAck');
    await ask('join', { conversationId, after: 1, epoch: 'other' }, 'JoinedFrameAck');
    await ask('join', { conversationId }, 'JoinedFrameAck');
    await removeBob();
    await waitFor('to be put out', () => emitted.some(([name]) => name === 'left'));
    const { messages = {} } = asyncApi.channels.socketio ?? {};
    for (const [name, payload] of emitted) {
      const like = messagesLike('socketio', payload).map((message) => messages[message]?.name);
      expect([name, payload, like]).toEqual([name, payload, expect.arrayContaining([name])]);
    }
    expect(new Set(emitted.map(([name]) => name))).toEqual(new Set(['event', 'resync', 'left']));
    socket.disconnect();
  });
});
