import { describe, expect, it, test } from 'vitest';
import type { RoomItem } from '../../../client/src/roomEvents.ts';
import {
  nextSubscriptionState,
  type SubscriptionEvent,
  type SubscriptionState,
} from '../../../client/src/subscriptionStates.ts';
import { eventFrame, sdkClient } from '../../support/client/sdkClient.ts';
import { C1, C2 } from '../../support/domain/conversations.ts';

type System = ReturnType<typeof sdkClient>;

/** The server's answer to the latest join. */
function joined({ last }: System, head: number, epoch = 'e1', conversationId = C1): void {
  last().say({ op: 'joined', id: last().of('join').at(-1)?.id ?? 0, conversationId, head, epoch });
}

/** A room that is joined and has seen up to 10, on an open connection. */
function liveRoom(options: Parameters<typeof sdkClient>[0] = {}) {
  const system = sdkClient(options);
  const room = system.chat.join(C1, { after: 10, epoch: 'e1' });
  const seen: number[] = [];
  const resyncs: unknown[] = [];
  room.on('event', ({ seq }) => seen.push(seq));
  room.on('resync', (resync) => resyncs.push(resync));
  system.last().accept();
  joined(system, 10);
  return { ...system, system, room, seen, resyncs };
}

describe('the table of states', () => {
  const STATES: SubscriptionState[] = ['offline', 'joining', 'live', 'waiting', 'paused', 'ended'];
  const EVENTS: SubscriptionEvent[] = [
    'connected',
    'lost',
    'joined',
    'postpone',
    'retry',
    'resync',
    'resume',
  ];
  const moves: Record<string, SubscriptionState> = {
    'offline connected': 'joining',
    'joining lost': 'offline',
    'joining joined': 'live',
    'joining postpone': 'waiting',
    'joining resync': 'paused',
    'joining resume': 'offline',
    'live lost': 'offline',
    'live postpone': 'waiting',
    'live resync': 'paused',
    'live resume': 'offline',
    'waiting lost': 'offline',
    'waiting retry': 'joining',
    'waiting resync': 'paused',
    'waiting resume': 'offline',
    'paused resume': 'offline',
  };

  it.each(STATES.flatMap((state) => EVENTS.map((event) => ({ state, event }))))(
    '$state, $event',
    ({ state, event }) => {
      expect(nextSubscriptionState(state, event)).toBe(moves[`${state} ${event}`] ?? state);
    },
  );

  it.each(STATES)('%s ends for good', (state) => {
    expect(nextSubscriptionState(state, 'end')).toBe('ended');
  });
});

test('joining connects, and joins from where the app says', () => {
  const { chat, last } = sdkClient();
  chat.join(C1, { after: 120, epoch: 'e1' });
  expect(last().sent).toEqual([]);
  last().accept();
  expect(last().sent).toEqual([{ op: 'join', id: 1, conversationId: C1, after: 120, epoch: 'e1' }]);
});

test('without a place to begin at it begins at the head, and comes back to where it was', () => {
  const system = sdkClient();
  const room = system.chat.join(C1);
  system.last().accept();
  expect(system.last().of('join')).toEqual([{ op: 'join', id: 1, conversationId: C1 }]);
  joined(system, 42);
  expect(room.lastSeq).toBe(42);
  system.last().say(eventFrame(50, 42));
  system.reconnect();
  expect(system.last().of('join')).toMatchObject([{ after: 50, epoch: 'e1' }]);
});

test('events come once and in order; repeats are dropped', () => {
  const { last, seen, room } = liveRoom();
  for (const [seq, prev] of [
    [11, 10],
    [11, 10],
    [14, 11],
    [9, 8],
    [11, 10],
    [20, 14],
  ] as const) {
    last().say(eventFrame(seq, prev));
  }
  expect(seen).toEqual([11, 14, 20]);
  expect(room.lastSeq).toBe(20);
});

test('the first event may be linked to one that is older than where it began', () => {
  const { last, seen } = liveRoom();
  last().say(eventFrame(15, 7));
  expect(seen).toEqual([15]);
});

test('events of other conversations are not for this room', () => {
  const { last, seen } = liveRoom();
  last().say(eventFrame(11, 10, C2));
  expect(seen).toEqual([]);
});

test('what is behind a gap is not taken but asked for again from the last event', () => {
  const { system, last, clock, seen, resyncs } = liveRoom();
  last().say(eventFrame(11, 10));
  last().say(eventFrame(15, 13));
  last().say(eventFrame(16, 15));
  expect(seen).toEqual([11]);
  clock.advance(250);
  expect(last().of('join').at(-1)).toMatchObject({ after: 11, epoch: 'e1' });
  expect(last().of('join')).toHaveLength(2);
  joined(system, 16);
  for (const [seq, prev] of [
    [13, 11],
    [15, 13],
    [16, 15],
  ] as const) {
    last().say(eventFrame(seq, prev));
  }
  expect(seen).toEqual([11, 13, 15, 16]);
  expect(resyncs).toEqual([]);
});

test('a gap that stays is asked for with growing delays, a bounded number of times, then the app is told', () => {
  const { system, last, clock, seen, resyncs, room } = liveRoom({ gapRetriesMax: 3, retryDelayMsBase: 200 });
  for (const delayMs of [100, 200, 400]) {
    last().say(eventFrame(15, 13));
    const joins = last().of('join').length;
    clock.advance(delayMs - 1);
    expect(last().of('join')).toHaveLength(joins);
    clock.advance(1);
    expect(last().of('join')).toHaveLength(joins + 1);
    joined(system, 15);
  }
  last().say(eventFrame(15, 13));
  expect(resyncs).toEqual([{ type: 'resync', reason: 'gap', head: 15, epoch: 'e1' }]);
  expect(room.state).toBe('paused');
  last().say(eventFrame(16, 15));
  clock.advance(100_000);
  expect(seen).toEqual([]);
});

test('after a resync nothing comes until the app says from where, even across a reconnect', () => {
  const { system, last, seen, resyncs, room } = liveRoom();
  last().say({ op: 'resync', conversationId: C1, reason: 'expired' });
  expect(resyncs).toEqual([{ type: 'resync', reason: 'expired', head: 10, epoch: 'e1' }]);
  last().say(eventFrame(11, 10));
  system.reconnect();
  expect(last().sent).toEqual([]);
  expect(seen).toEqual([]);
  room.resumeFrom(30);
  expect(last().of('join')).toMatchObject([{ after: 30, epoch: 'e1' }]);
  joined(system, 31);
  last().say(eventFrame(31, 30));
  expect(seen).toEqual([31]);
});

test('without a sequence the app goes on from the head', () => {
  const { last, room, system } = liveRoom();
  system.reconnect();
  joined(system, 99);
  last().say({ op: 'resync', conversationId: C1, reason: 'expired' });
  room.resumeFrom();
  expect(last().of('join').at(-1)).toMatchObject({ after: 99 });
});

test('another epoch is a resync, and the room goes on under it', () => {
  const { system, last, resyncs, room } = liveRoom();
  system.reconnect();
  joined(system, 3, 'e2');
  last().say({ op: 'resync', conversationId: C1, reason: 'epoch' });
  expect(resyncs).toEqual([{ type: 'resync', reason: 'epoch', head: 3, epoch: 'e2' }]);
  expect(room.epoch).toBe('e1');
  room.resumeFrom(3);
  expect(last().of('join').at(-1)).toMatchObject({ after: 3, epoch: 'e2' });
});

test('a connection lost between joined and resync does not carry sequences over into the other epoch', () => {
  const { system, last, resyncs, room } = liveRoom();
  system.reconnect();
  joined(system, 3, 'e2');
  system.reconnect();
  expect(resyncs).toHaveLength(1);
  expect(last().of('join')).toEqual([]);
  expect(room.lastSeq).toBe(10);
});

test('a refusal for now is tried again when the server says, one for good ends the room', () => {
  const { chat, clock, last } = sdkClient({ retryDelayMsBase: 200 });
  const room = chat.join(C1);
  const errors: Error[] = [];
  room.on('error', (error) => errors.push(error));
  last().accept();
  last().say({ op: 'error', id: 1, code: 'log_unavailable', retryable: true, retryAfterMs: 1_000 });
  clock.advance(1_099);
  expect(last().of('join')).toHaveLength(1);
  clock.advance(1);
  expect(last().of('join')).toHaveLength(2);
  last().say({ op: 'error', id: 2, code: 'not_found', detail: 'There is none.', retryable: false });
  expect(errors).toMatchObject([{ name: 'RequestRefusedError', code: 'not_found', retryable: false }]);
  expect(room.state).toBe('ended');
  expect(() => room.resumeFrom(1)).toThrow(/has ended/);
  chat.join(C1);
});

test('a join that is not answered is sent again, and a late answer to the first one is not taken for it', () => {
  const { system, chat, clock, last } = (() => {
    const made = sdkClient({ answerTimeoutMs: 15_000 });
    return { ...made, system: made };
  })();
  const room = chat.join(C1);
  last().accept();
  clock.advance(15_125);
  expect(last().of('join')).toHaveLength(2);
  last().say({ op: 'joined', id: 1, conversationId: C1, head: 5, epoch: 'e1' });
  expect(room.state).toBe('joining');
  joined(system, 6);
  expect(room.lastSeq).toBe(6);
});

test('a room that was left hears nothing more, and can be joined anew', () => {
  const { chat, last, seen, room } = liveRoom();
  expect(() => chat.join(C1)).toThrow(/joined already/);
  room.leave();
  room.leave();
  expect(last().of('leave')).toHaveLength(1);
  last().say(eventFrame(11, 10));
  expect(seen).toEqual([]);
  expect(() => room.resumeFrom(1)).toThrow(/has ended/);
  const again = chat.join(C1);
  const heard: number[] = [];
  again.on('event', ({ seq }) => heard.push(seq));
  // Still of the earlier membership: where the new one begins is not known yet.
  last().say(eventFrame(12, 11));
  expect(heard).toEqual([]);
});

test('a listener that was taken away is not called', () => {
  const { last, room } = liveRoom();
  const heard: number[] = [];
  const stop = room.on('event', ({ seq }) => heard.push(seq));
  last().say(eventFrame(11, 10));
  stop();
  last().say(eventFrame(12, 11));
  expect(heard).toEqual([11]);
});

test.each(['', 'c_short', 'c_AAAAAAAAAAAAAAAAAAAA*', 'chat.events.>'])(
  'what is no conversation cannot be joined: %j',
  (id) => {
    expect(() => sdkClient().chat.join(id)).toThrow(/^conversationId must be/);
  },
);

describe('iterating over a room', () => {
  it('gives events and resyncs in order and ends when the room is left', async () => {
    const { last, room } = liveRoom();
    const items: string[] = [];
    const reading = (async () => {
      for await (const item of room) items.push(item.type === 'event' ? `${item.seq}` : item.reason);
    })();
    last().say(eventFrame(11, 10));
    last().say(eventFrame(12, 11));
    last().say({ op: 'resync', conversationId: C1, reason: 'expired' });
    room.leave();
    await reading;
    expect(items).toEqual(['11', '12', 'expired']);
  });

  it('throws after what was kept when the reader is too slow, and says where to go on', async () => {
    const { last, room } = liveRoom({ bufferMax: 3 });
    const iterator = room[Symbol.asyncIterator]();
    for (let seq = 11; seq <= 20; seq++) last().say(eventFrame(seq, seq - 1));
    const seqs: unknown[] = [];
    const reading = (async () => {
      for await (const item of iterator) seqs.push(item.type === 'event' && item.seq);
    })();
    await expect(reading).rejects.toMatchObject({ name: 'BufferOverflowError', lastSeq: 13 });
    await expect(reading).rejects.toThrow(/More than 3 events .* room\.resumeFrom/);
    expect(seqs).toEqual([11, 12, 13]);
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    room.resumeFrom(13);
    expect(last().of('join').at(-1)).toMatchObject({ after: 13 });
  });

  it('can be stopped without leaving the room', async () => {
    const { last, room } = liveRoom();
    const iterator = room[Symbol.asyncIterator]();
    last().say(eventFrame(11, 10));
    for await (const item of iterator) {
      expect(item).toMatchObject({ seq: 11 });
      break;
    }
    last().say(eventFrame(12, 11));
    expect(room.state).toBe('live');
    expect(room.lastSeq).toBe(12);
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  it('ends when the client is closed, and throws when the server refuses it', async () => {
    const closed = liveRoom();
    const ends = closed.room[Symbol.asyncIterator]().next();
    closed.chat.close();
    expect(await ends).toEqual({ done: true, value: undefined });
    const refused = liveRoom();
    const fails = refused.room[Symbol.asyncIterator]().next();
    refused.last().end(4003);
    await expect(fails).rejects.toMatchObject({ name: 'ConnectionRefusedError' });
  });

  it('begins at the beginning for the first iterator, however late it comes, and at now for others', async () => {
    const { chat, last } = sdkClient({ bufferMax: 3 });
    const room = chat.join(C1, { after: 10 });
    last().accept();
    for (let seq = 11; seq <= 20; seq++) last().say(eventFrame(seq, seq - 1));
    const [first, second] = [room[Symbol.asyncIterator](), room[Symbol.asyncIterator]()];
    last().say(eventFrame(21, 20));
    expect(await second.next()).toMatchObject({ value: { seq: 21 } });
    for (const seq of [11, 12, 13]) expect(await first.next()).toMatchObject({ value: { seq } });
    await expect(first.next()).rejects.toMatchObject({ name: 'BufferOverflowError', lastSeq: 13 });
  });

  it('of a room that has ended fails', async () => {
    const { room } = liveRoom();
    room.leave();
    await expect(room[Symbol.asyncIterator]().next()).rejects.toThrow(/has ended/);
  });
});

describe('typing', () => {
  it('is told at most every two seconds, and not kept for later', () => {
    const { last, clock, room, system } = liveRoom();
    for (let tenth = 0; tenth < 60; tenth++) {
      room.typing();
      clock.advance(100);
    }
    expect(last().of('typing')).toHaveLength(3);
    last().end();
    clock.advance(200);
    room.typing();
    clock.advance(50);
    last().accept();
    joined(system, 10);
    expect(last().of('typing')).toHaveLength(0);
  });

  it('of others is heard by the room', () => {
    const { last, room } = liveRoom();
    const heard: unknown[] = [];
    room.on('typing', (typing) => heard.push(typing));
    last().say({ op: 'typing', conversationId: C1, userId: 'bob' });
    last().say({ op: 'typing', conversationId: C2, userId: 'bob' });
    expect(heard).toEqual([{ type: 'typing', conversationId: C1, userId: 'bob' }]);
  });
});

describe('the inbox', () => {
  function liveInbox(options: Parameters<typeof sdkClient>[0] = {}) {
    const system = sdkClient(options);
    const room = system.chat.join('*', { after: 100, epoch: 'e1' });
    const seen: string[] = [];
    room.on('event', ({ seq, event }) => seen.push(`${event.conversationId.slice(2, 3)}${seq}`));
    system.last().accept();
    joined(system, 100, 'e1', '*');
    return { ...system, system, room, seen };
  }

  it('keeps the links of each conversation apart, and goes on from somewhat before the highest sequence of all', () => {
    const { system, last, seen, room } = liveInbox();
    last().say(eventFrame(101, 50, C1));
    last().say(eventFrame(102, 30, C2));
    last().say(eventFrame(103, 101, C1));
    last().say(eventFrame(102, 30, C2));
    last().say(eventFrame(5_104, 102, C2));
    expect(seen).toEqual(['A101', 'B102', 'A103', 'B5104']);
    expect(room.lastSeq).toBe(5_104);
    system.reconnect();
    expect(last().of('join')).toMatchObject([{ conversationId: '*', after: 4_104, epoch: 'e1' }]);
    joined(system, 5_104, 'e1', '*');
    last().say(eventFrame(5_104, 102, C2));
    last().say(eventFrame(5_103, 103, C1));
    expect(seen).toEqual(['A101', 'B102', 'A103', 'B5104', 'A5103']);
  });

  it('goes back to a gap of one conversation, while the others go on and nothing is repeated', () => {
    const { system, last, clock, seen } = liveInbox();
    last().say(eventFrame(101, 50, C1));
    last().say(eventFrame(102, 30, C2));
    last().say(eventFrame(105, 104, C1));
    last().say(eventFrame(106, 102, C2));
    clock.advance(250);
    expect(last().of('join').at(-1)).toMatchObject({ after: 101 });
    joined(system, 106, 'e1', '*');
    last().say(eventFrame(102, 30, C2));
    last().say(eventFrame(104, 101, C1));
    last().say(eventFrame(105, 104, C1));
    last().say(eventFrame(106, 102, C2));
    expect(seen).toEqual(['A101', 'B102', 'B106', 'A104', 'A105']);
  });

  it('tells the app of a gap that stays, although other conversations go on', () => {
    const { system, last, clock, room } = liveInbox({ gapRetriesMax: 2 });
    const resyncs: unknown[] = [];
    room.on('resync', ({ reason }) => resyncs.push(reason));
    last().say(eventFrame(101, 50, C1));
    for (let seq = 110; seq < 120; seq++) {
      last().say(eventFrame(105, 104, C1));
      last().say(eventFrame(seq, seq - 1, C2));
      clock.advance(10_000);
      if (room.state === 'joining') joined(system, seq, 'e1', '*');
    }
    expect(resyncs).toEqual(['gap']);
  });

  it('does not take being let in again for a gap', () => {
    const { last, seen } = liveInbox();
    last().say(eventFrame(101, 50, C1));
    const state = {
      title: null,
      visibility: 'members',
      participantIds: ['alice'],
      createdBy: 'bob',
      createdAt: '2026-01-01T00:00:00.000Z',
      archived: false,
    } as const;
    const base = { v: 1, conversationId: C1, userId: 'bob', at: state.createdAt, state } as const;
    const event = { ...base, type: 'ParticipantAdded', participantIds: ['alice'] } as const;
    last().say({ op: 'event', seq: 120, prev: 119, event });
    expect(seen).toEqual(['A101', 'A120']);
  });

  it('does not take the history that a room asks for as new', () => {
    const { chat, last, seen, system } = liveInbox();
    const room = chat.join(C1, { after: 0 });
    const heard: number[] = [];
    room.on('event', ({ seq }) => heard.push(seq));
    joined(system, 50, 'e1', C1);
    last().say(eventFrame(40, 0, C1));
    last().say(eventFrame(50, 40, C1));
    last().say(eventFrame(101, 50, C1));
    expect(heard).toEqual([40, 50, 101]);
    expect(seen).toEqual(['A101']);
  });

  it('forgets the quietest conversation when there are too many, and still repeats nothing', () => {
    const { last, seen, system } = liveInbox({ inboxConversationsMax: 3 });
    const id = (n: number) => `c_${String.fromCharCode(65 + n)}AAAAAAAAAAAAAAAAAAAA`;
    for (let n = 0; n < 6; n++) last().say(eventFrame(101 + n, 0, id(n)));
    system.reconnect();
    for (let n = 0; n < 6; n++) last().say(eventFrame(101 + n, 0, id(n)));
    expect(seen).toEqual(['A101', 'B102', 'C103', 'D104', 'E105', 'F106']);
  });

  it('is not a place to write to', () => {
    const { room } = liveInbox();
    expect(() => room.send('hi')).toThrow(/^conversationId must be/);
    expect(() => room.typing()).toThrow(/^conversationId must be/);
    expect(() => room.read(1)).toThrow(/^conversationId must be/);
  });
});

test('items that a room gives are told apart by their type', () => {
  const label = (item: RoomItem): string => {
    switch (item.type) {
      case 'event':
        return item.event.type;
      case 'resync':
        return item.reason;
    }
  };
  expect(label({ type: 'resync', reason: 'gap', head: 1, epoch: 'e1' })).toBe('gap');
});
