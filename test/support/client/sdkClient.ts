import { ChatClient } from '../../../client/src/chatClient.ts';
import type { ChatClientOptions } from '../../../client/src/options.ts';
import type { ChatEvent, EventFrame } from '../../../client/src/protocol.ts';
import { C1, M1 } from '../domain/conversations.ts';
import { ManualClock } from '../time/manualClock.ts';
import { fakeWebSockets } from './fakeWebSocket.ts';

/** Silence that most tests are not about. */
const PATIENT = { pingIntervalMs: 25_000, pongTimeoutMs: 10_000 };

/** A client on sockets and a clock of the test's. Delays are half of their bounds unless `random` says otherwise. */
export function sdkClient(options: Partial<ChatClientOptions> = {}) {
  const clock = new ManualClock();
  const web = fakeWebSockets();
  let ids = 0;
  const newId = () => {
    ids += 1;
    return `k${ids}`;
  };
  const { WebSocket } = web;
  const base = { url: 'ws://edge', userId: 'alice', WebSocket, clock, newId, random: () => 0.5, ...PATIENT };
  const chat = new ChatClient({ ...base, ...options });
  const states: string[] = [];
  chat.on('state', (state) => states.push(state));
  /** The connection is lost, the delay passes, the next one opens. */
  const reconnect = () => {
    const before = web.sockets.length;
    web.last().end();
    for (let step = 0; web.sockets.length === before && step < 1_000; step++) clock.advance(50);
    web.last().accept();
  };
  return { chat, clock, states, reconnect, ...web };
}

/** An event of a conversation as the server sends it. */
export function eventFrame(seq: number, prev: number, conversationId = C1): EventFrame {
  const event: ChatEvent = {
    type: 'MessagePosted',
    v: 1,
    messageId: M1,
    conversationId,
    userId: 'bob',
    clientMessageId: `k${seq}`,
    content: `message ${seq}`,
    replyTo: null,
    attachments: [],
    at: '2026-11-23T10:30:15.123Z',
  };
  return { op: 'event', seq, prev, event };
}
