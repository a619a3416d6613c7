import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FollowOptions } from '../../../../src/ports/eventFeed.ts';
import { openMemoryEdge } from '../../../support/edge/memoryEdge.ts';
import { waitFor } from '../../../support/time/waitFor.ts';

type Edge = Awaited<ReturnType<typeof openMemoryEdge>>;
type Link = ReturnType<Edge['connect']>;

/** A client as the protocol means it: it remembers the last event, checks every link and asks again from there. */
class ResumingClient {
  readonly #conversationId: string;
  readonly #links: 'whole' | 'gaps';
  readonly view: number[] = [];
  #link: Link | null = null;
  resyncs = 0;

  /** @param links `whole`: nothing is ever missing; `gaps`: what was erased is, and a link may go further back */
  constructor(conversationId: string, links: 'whole' | 'gaps' = 'whole') {
    this.#conversationId = conversationId;
    this.#links = links;
  }

  connect(edge: Edge): void {
    this.disconnect();
    this.#link = edge.connect('bob');
    const after = this.view.at(-1) ?? 0;
    this.#link.session.receive(
      JSON.stringify({ op: 'join', id: 1, conversationId: this.#conversationId, after }),
    );
  }

  disconnect(): void {
    this.#read();
    this.#link?.disconnect();
    this.#link = null;
  }

  get last(): number {
    this.#read();
    return this.view.at(-1) ?? 0;
  }

  #read(): void {
    for (const frame of this.#link?.socket.frames.splice(0) ?? []) {
      if (frame.op === 'resync') this.resyncs += 1;
      if (frame.op !== 'event') continue;
      const last = this.view.at(-1) ?? 0;
      if (this.#links === 'whole') expect(frame.prev).toBe(last);
      else expect(frame.prev).toBeLessThanOrEqual(last);
      expect(frame.seq).toBeGreaterThan(last);
      this.view.push(Number(frame.seq));
    }
  }
}

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('post' as const), here: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('connect' as const), client: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('disconnect' as const), client: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const) }) },
);

/** Hundreds of random runs with edges that start and stop: ten seconds where nothing else runs. */
const RANDOM_MS_MAX = 60_000;

test(
  'whatever connections and edges break, and however little is remembered, every view is the log',
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 60 }),
        fc.integer({ min: 1, max: 12 }),
        async (steps, recentEventsMax) => {
          let edge = await openMemoryEdge({ recentEventsMax });
          const { log } = edge;
          const conversationId = await edge.newConversation();
          const other = await edge.newConversation();
          const clients = Array.from({ length: 4 }, () => new ResumingClient(conversationId));
          const stored = [1];
          for (const action of steps) {
            if (action.do === 'post') {
              const seq = await edge.post(action.here ? conversationId : other, 'text');
              if (action.here) stored.push(seq);
            } else if (action.do === 'connect') clients[action.client]?.connect(edge);
            else if (action.do === 'disconnect') clients[action.client]?.disconnect();
            else if (action.do === 'wait') await new Promise((resolve) => setImmediate(resolve));
            else {
              for (const client of clients) client.disconnect();
              await edge.stop();
              edge = await openMemoryEdge({ recentEventsMax, log });
            }
          }
          for (const client of clients) client.connect(edge);
          stored.push(await edge.post(conversationId, 'last'));
          for (const client of clients) {
            await waitFor('the last event', () => client.last === stored.at(-1), { everyMs: 1 });
            expect(client.view).toEqual(stored);
            expect(client.resyncs).toBe(0);
            client.disconnect();
          }
          expect(edge.hub.channels).toBe(0);
          expect(edge.faults).toEqual([]);
          await edge.stop();
        },
      ),
      { numRuns: 150 },
    );
  },
  RANDOM_MS_MAX,
);

/** Counts how often the log is followed for one conversation. */
function counting(reads: { count: number }) {
  return (log: Edge['log']) =>
    new Proxy(log, {
      get(target, property) {
        if (property === 'follow') {
          return (options: FollowOptions) => {
            if (options.conversationId !== undefined) reads.count += 1;
            return target.follow(options);
          };
        }
        const value = Reflect.get(target, property, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
}

/** What of the random messages is erased, and when; `n` picks one of those that are there. */
const erasingStep = fc.oneof(step, fc.record({ do: fc.constant('erase' as const), n: fc.nat(20) }));

/** While the page up to the head is read, the head is erased: the next event must not be linked to it. */
const headErasedBeforeItWasSent = [
  { do: 'connect' as const, client: 0 },
  { do: 'post' as const, here: true },
  { do: 'connect' as const, client: 0 },
  { do: 'erase' as const, n: 0 },
  { do: 'wait' as const },
  { do: 'post' as const, here: false },
  { do: 'wait' as const },
];

test(
  'whatever is erased meanwhile, views have no gap, and who comes later is not sent it',
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(erasingStep, { minLength: 5, maxLength: 60 }),
        fc.integer({ min: 1, max: 30 }),
        async (steps, recentEventsMax) => {
          const edge = await openMemoryEdge({ recentEventsMax });
          const conversationId = await edge.newConversation();
          const other = await edge.newConversation();
          const clients = Array.from({ length: 3 }, () => new ResumingClient(conversationId, 'gaps'));
          const kept = new Set([1]);
          const messages: number[] = [];
          for (const action of steps) {
            if (action.do === 'post') {
              const seq = await edge.post(action.here ? conversationId : other, `words ${messages.length}`);
              if (action.here) messages.push(seq);
              if (action.here) kept.add(seq);
            } else if (action.do === 'erase' && messages.length > 0) {
              const [seq = 0] = messages.splice(action.n % messages.length, 1);
              kept.delete(seq);
              kept.add(await edge.erase(conversationId, seq));
            } else if (action.do === 'connect') clients[action.client % 3]?.connect(edge);
            else if (action.do === 'disconnect') clients[action.client % 3]?.disconnect();
            else await new Promise((resolve) => setImmediate(resolve));
          }
          await edge.caughtUp();
          const newcomer = new ResumingClient(conversationId, 'gaps');
          for (const client of [...clients, newcomer]) client.connect(edge);
          kept.add(await edge.post(conversationId, 'last'));
          const expected = [...kept].sort((a, b) => a - b);
          for (const client of [...clients, newcomer]) {
            await waitFor('the last event', () => client.last === expected.at(-1), { everyMs: 1 });
            expect(client.view.filter((seq) => kept.has(seq))).toEqual(expected);
          }
          expect(newcomer.view).toEqual(expected);
          expect(edge.faults).toEqual([]);
          for (const client of [...clients, newcomer]) client.disconnect();
          await edge.stop();
        },
      ),
      { numRuns: 150, examples: [[headErasedBeforeItWasSent, 1]] },
    );
  },
  RANDOM_MS_MAX,
);

test('many clients that come back to one conversation share the reads of the log', async () => {
  const reads = { count: 0 };
  const edge = await openMemoryEdge({ recentEventsMax: 1, wrap: counting(reads) });
  const conversationId = await edge.newConversation();
  const seqs: number[] = [];
  for (let n = 0; n < 50; n++) seqs.push(await edge.post(conversationId, `${n}`));
  const clients = Array.from({ length: 200 }, () => edge.connect('bob'));
  await Promise.all(clients.map(({ request }) => request({ op: 'join', conversationId, after: seqs[0] })));
  for (const { socket } of clients) {
    await waitFor('all events', () => socket.of('event').length === 49);
    expect(socket.of('event').map(({ seq }) => seq)).toEqual(seqs.slice(1));
  }
  expect(reads.count).toBeLessThanOrEqual(2);
  await edge.stop();
});

test('what happened a moment ago is caught up from memory, also on an edge that has just started', async () => {
  const reads = { count: 0 };
  const before = await openMemoryEdge();
  const conversationId = await before.newConversation();
  const first = await before.post(conversationId, 'one');
  const second = await before.post(conversationId, 'two');
  await before.stop();
  const edge = await openMemoryEdge({ log: before.log, wrap: counting(reads) });
  await edge.caughtUp();
  const { request, socket } = edge.connect();
  await request({ op: 'join', conversationId, after: first });
  await waitFor('the event', () => socket.of('event').length === 1);
  expect(socket.of('event')).toMatchObject([{ seq: second, prev: first }]);
  expect(reads.count).toBe(0);
  await edge.stop();
});

test('an `after` that is no event of the conversation is linked to the one before it', async () => {
  const edge = await openMemoryEdge({ recentEventsMax: 1 });
  const conversationId = await edge.newConversation();
  const first = await edge.post(conversationId, 'one');
  const elsewhere = await edge.newConversation();
  let between = 0;
  for (let n = 0; n < 200; n++) between = await edge.post(elsewhere, 'noise');
  const second = await edge.post(conversationId, 'two');
  const third = await edge.post(conversationId, 'three');
  const { request, socket } = edge.connect();
  await request({ op: 'join', conversationId, after: between });
  await waitFor('both events', () => socket.of('event').length === 2);
  expect(socket.of('event')).toMatchObject([
    { seq: second, prev: first },
    { seq: third, prev: second },
  ]);
  await edge.stop();
});
