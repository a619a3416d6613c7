import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Subscriber } from '../../../src/edge/channel.ts';
import { Hub } from '../../../src/edge/hub.ts';
import { ReplayBuffer } from '../../../src/edge/resume/replayBuffer.ts';
import type { StoredEvent } from '../../../src/ports/eventLog.ts';
import { FakeSocket } from '../../support/edge/fakeSocket.ts';

const conversationId = 'c_aaaaaaaaaaaaaaaaaaaaa';
const event = (seq: number, id = conversationId): StoredEvent => ({
  seq,
  conversationId: id,
  category: 'message',
  bytes: new TextEncoder().encode(`{"n":${seq}}`),
  storedAtMs: 0,
});

function openHub(readHead: () => Promise<number>) {
  const recent = new ReplayBuffer({ eventsMax: 10, bytesMax: 1_000 });
  recent.begin(1);
  const socket = new FakeSocket();
  socket.subscribe(conversationId);
  const subscriber: Subscriber = { socket, onOtherLog: () => {}, onParticipants: () => {} };
  return { hub: new Hub({ recent, readHead }), recent, published: socket.frames, subscriber };
}

test('the frame holds the stored bytes, their sequence and the one before', async () => {
  const { hub, published, subscriber } = openHub(async () => 3);
  await hub.open(conversationId, subscriber);
  hub.accept(event(9));
  expect(published).toEqual([{ op: 'event', seq: 9, prev: 3, event: { n: 9 } }]);
});

test('what nobody follows is not published, and its sequence is the link when somebody does', async () => {
  const { hub, published, subscriber } = openHub(() => Promise.reject(new Error('must not be asked')));
  hub.accept(event(5));
  const channel = await hub.open(conversationId, subscriber);
  expect(channel.head).toBe(5);
  hub.accept(event(6));
  expect(published).toMatchObject([{ seq: 6, prev: 5 }]);
});

test('a channel lives as long as somebody uses it', async () => {
  const { hub, subscriber } = openHub(async () => 1);
  const another = { ...subscriber };
  const [first, second] = await Promise.all([
    hub.open(conversationId, subscriber),
    hub.open(conversationId, another),
  ]);
  expect(hub.channels).toBe(1);
  first.leave(subscriber);
  expect(hub.channels).toBe(1);
  second.leave(another);
  expect(hub.channels).toBe(0);
});

test('an event is published once for each transport, however many follow on it', async () => {
  const { hub, published, subscriber } = openHub(async () => 0);
  await hub.open(conversationId, subscriber);
  await hub.open(conversationId, { ...subscriber });
  const other = new FakeSocket();
  other.subscribe(conversationId);
  await hub.open(conversationId, { ...subscriber, socket: other });
  hub.accept(event(1));
  expect([published.length, other.frames.length]).toEqual([1, 1]);
});

test('a head that cannot be read leaves no channel behind', async () => {
  const { hub, subscriber } = openHub(() => Promise.reject(new Error('away')));
  await expect(hub.open(conversationId, subscriber)).rejects.toThrow('away');
  expect(hub.channels).toBe(0);
});

test('of a log that is another one now, nothing is remembered', async () => {
  let head = 50;
  const { hub, recent, published, subscriber } = openHub(async () => head);
  const left = await hub.open(conversationId, subscriber);
  head = 3;
  recent.begin(1);
  hub.onOtherLog();
  left.leave(subscriber);
  expect((await hub.open(conversationId, subscriber)).head).toBe(3);
  hub.accept(event(4));
  expect(published).toMatchObject([{ seq: 4, prev: 3 }]);
});

test('whatever comes while the head is being read, the links have no hole and no event comes twice', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 30 }),
      fc.nat(30),
      fc.nat(30),
      fc.boolean(),
      async (numbers, storedWhenAsked, acceptedBeforeAnswer, remembered) => {
        const seqs = numbers.sort((a, b) => a - b);
        const stored = Math.min(storedWhenAsked, seqs.length);
        const accepted = Math.min(acceptedBeforeAnswer, seqs.length);
        let answer: (head: number) => void = () => {};
        const { hub, published, subscriber } = openHub(
          () =>
            new Promise((resolve) => {
              answer = resolve;
            }),
        );
        const early = remembered ? Math.min(stored, accepted) : 0;
        for (const seq of seqs.slice(0, early)) hub.accept(event(seq));
        const opening = hub.open(conversationId, subscriber);
        for (const seq of seqs.slice(early, accepted)) hub.accept(event(seq));
        answer(seqs[stored - 1] ?? 0);
        const { head } = await opening;
        // Published while nobody could be subscribed yet.
        published.length = 0;
        for (const seq of seqs.slice(accepted)) hub.accept(event(seq));
        expect([head, ...published.map(({ seq }) => seq)]).toEqual([
          head,
          ...seqs.filter((seq) => seq > head),
        ]);
        expect(published.map(({ prev }) => prev)).toEqual(
          [head, ...published.map(({ seq }) => seq)].slice(0, -1),
        );
      },
    ),
    { numRuns: 300 },
  );
});
