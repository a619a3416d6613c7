import { describe, expect, it, test } from 'vitest';
import { ChatClient } from '../../../client/src/chatClient.ts';
import {
  type ConnectionEvent,
  type ConnectionState,
  nextConnectionState,
} from '../../../client/src/connectionStates.ts';
import { sdkClient } from '../../support/client/sdkClient.ts';

const STATES: ConnectionState[] = ['idle', 'connecting', 'open', 'waiting', 'draining', 'closed'];
const EVENTS: ConnectionEvent[] = ['start', 'opened', 'lost', 'drain', 'retry', 'refused', 'stop'];

describe('the table of states', () => {
  const moves: Record<string, ConnectionState> = {
    'idle start': 'connecting',
    'connecting opened': 'open',
    'connecting lost': 'waiting',
    'open lost': 'waiting',
    'open drain': 'draining',
    'waiting start': 'connecting',
    'waiting retry': 'connecting',
    'draining lost': 'waiting',
    'draining retry': 'connecting',
  };
  const cells = STATES.flatMap((state) => EVENTS.map((event) => ({ state, event })));

  it.each(cells)('$state, $event', ({ state, event }) => {
    const ends = event === 'refused' || event === 'stop';
    expect(nextConnectionState(state, event)).toBe(ends ? 'closed' : (moves[`${state} ${event}`] ?? state));
  });
});

function open(options: Parameters<typeof sdkClient>[0] = {}) {
  const system = sdkClient(options);
  system.chat.connect();
  system.last().accept();
  return system;
}

test('nothing is opened before something is asked for', () => {
  const { chat, sockets, clock } = sdkClient();
  clock.advance(100_000);
  expect(chat.state).toBe('idle');
  expect(sockets).toHaveLength(0);
});

test('it connects to /ws as its user and offers the subprotocol', () => {
  const { chat, last } = sdkClient({ url: 'wss://chat.example.org/', userId: 'Zoë & co' });
  chat.connect();
  expect(last().url).toBe('wss://chat.example.org/ws?userId=Zo%C3%AB%20%26%20co');
  expect(last().protocols).toEqual(['chat.v1']);
});

test('delays between reconnects grow with full jitter up to their bound', () => {
  const randoms = [0, 0.5, 0.999];
  for (const random of randoms) {
    const { chat, clock, sockets, last } = sdkClient({
      random: () => random,
      reconnectDelayMsBase: 500,
      reconnectDelayMsMax: 4_000,
    });
    chat.connect();
    for (const bound of [500, 1_000, 2_000, 4_000, 4_000]) {
      const before = sockets.length;
      last().end();
      if (random > 0) clock.advance(random * bound - 1);
      expect(sockets).toHaveLength(before);
      clock.advance(1);
      expect(sockets).toHaveLength(before + 1);
    }
  }
});

test('delays begin anew after a connection that held, and not after one that did not', () => {
  const { clock, sockets, last } = open({ stableAfterMs: 5_000, reconnectDelayMsBase: 500 });
  const reconnectsAfter = (ms: number) => {
    const before = sockets.length;
    last().end();
    clock.advance(ms - 1);
    expect(sockets).toHaveLength(before);
    clock.advance(1);
    expect(sockets).toHaveLength(before + 1);
    last().accept();
  };
  reconnectsAfter(250);
  reconnectsAfter(500);
  reconnectsAfter(1_000);
  clock.advance(5_000);
  reconnectsAfter(250);
});

test('a draining server is left at the time it asked for, and nothing more is asked of it', () => {
  const { chat, clock, states, sockets, last } = open();
  const old = last();
  old.say({ op: 'draining', retryAfterMs: 1_500 });
  expect(chat.state).toBe('draining');
  clock.advance(1_000);
  old.end(4012, 'draining');
  expect(chat.state).toBe('waiting');
  clock.advance(499);
  expect(sockets).toHaveLength(1);
  clock.advance(1);
  expect(sockets).toHaveLength(2);
  expect(states).toEqual(['connecting', 'open', 'draining', 'waiting', 'connecting']);
});

test('a draining server that does not close is left all the same', () => {
  const { states, clock, sockets } = open();
  sockets[0]?.say({ op: 'draining', retryAfterMs: 1_500 });
  clock.advance(1_500);
  expect(sockets).toHaveLength(2);
  expect(sockets[0]?.endedBy).toBe(1000);
  expect(states.slice(2)).toEqual(['draining', 'connecting']);
});

test('4012 without a word before it is a lost connection like any other', () => {
  const { chat, clock, last, sockets } = open();
  last().end(4012);
  expect(chat.state).toBe('waiting');
  clock.advance(250);
  expect(sockets).toHaveLength(2);
});

test.each([1013, 4029])(
  'after close code %i it waits at least as long as an overloaded server needs',
  (code) => {
    const { clock, sockets, last } = open({ overloadedDelayMs: 10_000, random: () => 0 });
    last().end(code);
    clock.advance(9_999);
    expect(sockets).toHaveLength(1);
    clock.advance(1);
    expect(sockets).toHaveLength(2);
  },
);

test.each([1008, 4003])('close code %i ends the client with an error that says so', (code) => {
  const { chat, clock, sockets, last } = open();
  const reasons: Error[] = [];
  chat.on('closed', (reason) => reasons.push(reason));
  last().end(code, 'go away');
  clock.advance(1_000_000);
  expect(sockets).toHaveLength(1);
  expect(chat.state).toBe('closed');
  expect(reasons).toMatchObject([{ name: 'ConnectionRefusedError', closeCode: code }]);
  expect(reasons[0]?.message).toContain(`close code ${code}, saying "go away"`);
  expect(() => chat.connect()).toThrow(reasons[0]);
  expect(clock.timers).toBe(0);
});

test('a connection that does not open in time is given up and tried again', () => {
  const { chat, clock, sockets } = sdkClient({ connectTimeoutMs: 10_000 });
  chat.connect();
  clock.advance(10_000);
  expect(sockets[0]?.endedBy).toBe('cut');
  expect(chat.state).toBe('waiting');
  clock.advance(250);
  expect(sockets).toHaveLength(2);
});

test('a quiet server is asked for a word; when it gives none the socket is cut', () => {
  const { chat, clock, last } = open({ pingIntervalMs: 25_000, pongTimeoutMs: 10_000 });
  const socket = last();
  clock.advance(24_999);
  expect(socket.of('ping')).toHaveLength(0);
  clock.advance(1);
  expect(socket.of('ping')).toHaveLength(1);
  clock.advance(9_999);
  expect(chat.state).toBe('open');
  clock.advance(1);
  expect(chat.state).toBe('waiting');
  expect(socket.endedBy).toBe('cut');
});

test('connect() asks a socket that is open at once whether it is alive, and again when asked again', () => {
  const { chat, clock, last } = open({ pingIntervalMs: 25_000, pongTimeoutMs: 5_000 });
  const socket = last();
  chat.connect();
  chat.connect();
  expect(socket.of('ping')).toHaveLength(1);
  socket.say({ op: 'pong', id: 1 });
  clock.advance(5_000);
  expect(chat.state).toBe('open');
  clock.advance(1_000);
  chat.connect();
  clock.advance(4_999);
  expect([chat.state, socket.of('ping').length]).toEqual(['open', 2]);
  clock.advance(1);
  expect(chat.state).toBe('waiting');
});

test('a server that answers, or says anything at all, is alive', () => {
  const { chat, clock, last } = open({ pingIntervalMs: 25_000, pongTimeoutMs: 10_000 });
  last().onSent = ({ op }) => {
    if (op !== 'ping') return;
    const answered = last().of('ping').length;
    clock.after(9_999, () => last().say(answered % 2 ? { op: 'pong', id: 1 } : { op: 'from the future' }));
  };
  clock.advance(1_000_000);
  last().onSent = null;
  expect(chat.state).toBe('open');
  const pings = last().of('ping').length;
  for (let second = 0; second < 60; second++) {
    last().say({ op: 'from the future' });
    clock.advance(1_000);
  }
  expect(last().of('ping').length).toBeLessThanOrEqual(pings + 1);
});

test('what a socket says that was given up is not listened to', () => {
  const { chat, clock, sockets, last } = open();
  const old = last();
  old.say({ op: 'draining', retryAfterMs: 10 });
  clock.advance(10);
  last().accept();
  old.say({ op: 'draining', retryAfterMs: 10 });
  old.end(1008);
  old.accept();
  expect(chat.state).toBe('open');
  expect(sockets).toHaveLength(2);
});

test.each(['not JSON', '[]', 'null', '{"op":"event"}', '{"op":"toString"}', '{"op":"joined","id":"1"}', 7])(
  'what is no frame is passed over: %j',
  (data) => {
    const { chat, last } = open();
    last().sayText(data);
    expect(chat.state).toBe('open');
  },
);

test('the app may connect at once while the client waits', () => {
  const { chat, sockets, clock, last } = open();
  last().end();
  chat.connect();
  expect(sockets).toHaveLength(2);
  last().accept();
  clock.advance(20_000);
  expect(sockets).toHaveLength(2);
});

test('closing leaves no timer and no socket behind, whatever the state', () => {
  for (const prepare of [
    () => sdkClient(),
    () => open(),
    () => {
      const system = open();
      system.last().end();
      return system;
    },
    () => {
      const system = open();
      system.last().say({ op: 'draining', retryAfterMs: 5 });
      return system;
    },
  ]) {
    const { chat, clock, sockets } = prepare();
    const closed: Error[] = [];
    chat.on('closed', (reason) => closed.push(reason));
    chat.close();
    chat.close();
    expect(chat.state).toBe('closed');
    expect(clock.timers).toBe(0);
    expect(closed).toMatchObject([{ name: 'ClientClosedError' }]);
    clock.advance(1_000_000);
    expect(sockets.length).toBeLessThanOrEqual(1);
  }
});

test('a runtime without a WebSocket is told to pass ws', () => {
  const holder = globalThis as { WebSocket?: unknown };
  const own = Object.getOwnPropertyDescriptor(holder, 'WebSocket');
  delete holder.WebSocket;
  try {
    expect(() => new ChatClient({ url: 'ws://edge', userId: 'alice' })).toThrow(/"ws".*import WebSocket/);
  } finally {
    if (own !== undefined) Object.defineProperty(holder, 'WebSocket', own);
  }
});

test.each([
  { userId: '' },
  { userId: 'a\nb' },
  { userId: 'x'.repeat(129) },
  { url: 'http://edge' },
  { url: 'edge' },
  { sendQueueMax: 0 },
  { pingIntervalMs: Number.NaN },
])('options that cannot be right are refused at once: %j', (wrong) => {
  expect(() => sdkClient(wrong)).toThrow(/^(userId|url|sendQueueMax|pingIntervalMs) must be/);
});

test('a url function is asked for every connection, and one that throws is asked again', () => {
  const urls = ['ws://first', 'ws://second', 'ws://third'];
  const { chat, sockets, clock, last } = sdkClient({
    url: () => {
      const url = urls.shift() ?? 'ws://third';
      if (url === 'ws://second') throw new Error('not now');
      return url;
    },
  });
  chat.connect();
  last().accept().end();
  clock.advance(1_000);
  expect(sockets.map(({ url }) => url)).toEqual(['ws://first/ws?userId=alice', 'ws://third/ws?userId=alice']);
});

test('a listener that throws keeps neither the others from knowing nor the client from its work', async () => {
  const { chat, last } = sdkClient();
  const uncaught = new Promise<unknown>((resolve) => {
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.once('uncaughtException', (error) => {
      for (const listener of listeners) process.on('uncaughtException', listener);
      resolve(error);
    });
  });
  const known: string[] = [];
  const stop = chat.on('state', () => {
    throw new Error('a bug of the app');
  });
  chat.on('state', (state) => known.push(state));
  chat.connect();
  stop();
  last().accept();
  expect(known).toEqual(['connecting', 'open']);
  await expect(uncaught).resolves.toMatchObject({ message: 'a bug of the app' });
});
