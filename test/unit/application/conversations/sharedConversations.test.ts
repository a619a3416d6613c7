import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { postMessage } from '../../../../src/application/commands/postMessage.ts';
import { renameConversation } from '../../../../src/application/commands/renameConversation.ts';
import { ConversationStore } from '../../../../src/application/conversations/conversationStore.ts';
import { viewConversation } from '../../../../src/application/reading/viewConversation.ts';
import { MemoryEventLog } from '../../../../src/eventlog/memory/memoryEventLog.ts';
import { MemorySharedConversations } from '../../../../src/platform/redis/memorySharedConversations.ts';
import { LogUnavailableError } from '../../../../src/ports/eventLog.ts';
import type { SharedConversations } from '../../../../src/ports/sharedConversations.ts';
import { conversationOf, processOn, withLog } from '../../../support/application/application.ts';

const SHARED_MS = 60_000;
const CONVERSATIONS = 3;
const STATE = {
  title: 'Tea',
  visibility: 'members',
  participantIds: ['alice'],
  createdBy: 'alice',
  createdAt: '2026-01-01T00:00:00.000Z',
  archived: false,
} as const;

/** Time that the test moves. */
class SetClock {
  ms = Date.parse('2026-01-01T00:00:00.000Z');
  nowMs(): number {
    return this.ms;
  }
}

/** Where the test says when something arrives, and what gets lost. */
class Held {
  readonly #held: { deliver: () => void; lose: () => void }[] = [];

  hold(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#held.push({ deliver: () => resolve(true), lose: () => resolve(false) });
    });
  }

  /** Any of those that wait, not only the first. */
  next(pick: number, lost: boolean): void {
    const [one] = this.#held.splice(this.#held.length === 0 ? 0 : pick % this.#held.length, 1);
    if (lost) one?.lose();
    else one?.deliver();
  }

  get waiting(): number {
    return this.#held.length;
  }
}

interface Change {
  readonly id: string;
  readonly seq: number;
  readonly atMs: number;
}

/** A log with conversations that change now and then, processes that look at them, and a cache that they share. */
class World {
  readonly clock = new SetClock();
  readonly memory = new MemoryEventLog();
  readonly writer = { ...processOn(this.memory), clock: this.clock };
  readonly values = new MemorySharedConversations(this.clock);
  readonly puts = new Held();
  readonly gets = new Held();
  readonly reads = new Held();
  readonly changes: Change[] = [];
  readonly ids: string[] = [];
  readonly processes: WorldProcess[] = [];

  static async start(): Promise<World> {
    const world = new World();
    for (let n = 0; n < CONVERSATIONS; n++) {
      const id = await conversationOf(world.writer);
      world.ids.push(id);
      world.changes.push({ id, seq: n + 1, atMs: world.clock.ms });
    }
    return world;
  }

  /** A wire to the shared cache on which everything takes its time and anything may be lost. */
  shared(): SharedConversations {
    return {
      get: async (epoch, id) => {
        if (!(await this.gets.hold())) return null;
        const found = await this.values.get(epoch, id);
        if (found !== null) this.#assertYoung(id, found.version);
        return found;
      },
      put: (epoch, id, found, expiresAtMs) => {
        void this.puts.hold().then((arrives) => arrives && this.values.put(epoch, id, found, expiresAtMs));
      },
    };
  }

  id(which: number): string {
    return this.ids[which % this.ids.length] ?? '';
  }

  /** The version of a conversation, as of now or as of a sequence. */
  version(id: string, seqMax = Number.POSITIVE_INFINITY): number {
    return this.changes.findLast((change) => change.id === id && change.seq <= seqMax)?.seq ?? 0;
  }

  /** What the conversation was called from this sequence on. */
  title(seq: number): string {
    return seq <= CONVERSATIONS ? 'Tea' : `change ${seq}`;
  }

  async change(id: string): Promise<void> {
    const title = this.title(this.changes.length + 1);
    await renameConversation(this.writer, { conversationId: id, userId: 'alice', title });
    const { lastSeq: seq } = await this.memory.status();
    this.changes.push({ id, seq, atMs: this.clock.ms });
  }

  start(behind: number): void {
    const { length } = this.changes;
    this.processes.push(new WorldProcess(this, Math.max(0, length - behind)));
    if (this.processes.length > 3) this.processes.shift();
  }

  process(at: number): WorldProcess | undefined {
    return this.processes[at % Math.max(1, this.processes.length)];
  }

  /** All that is under way arrives, and every tail comes to the end. */
  async quieten(): Promise<void> {
    while (this.puts.waiting + this.gets.waiting + this.reads.waiting > 0) {
      for (const held of [this.puts, this.gets, this.reads]) held.next(0, false);
      await settle();
    }
    for (const process of this.processes) await process.follow(Number.POSITIVE_INFINITY);
  }

  /** What the cache allows was still so a minute ago. */
  #assertYoung(id: string, version: number): void {
    const next = this.changes.find((change) => change.id === id && change.seq > version);
    if (next !== undefined) this.staleMs = Math.max(this.staleMs, this.clock.ms - next.atMs);
  }

  /** For how long something that was found had not been so any more, at most. */
  staleMs = 0;
}

/** A process: its store, and a tail that is as far behind as the test lets it be. */
class WorldProcess {
  readonly store: ConversationStore;
  readonly #world: World;
  /** How far its tail has come. */
  seq: number;

  constructor(world: World, after: number) {
    this.#world = world;
    this.seq = after;
    const slow = withLog(world.memory, {
      latest: async (id, category) => {
        const stored = await world.memory.latest(id, category);
        await world.reads.hold();
        return stored;
      },
    });
    const shared = { conversations: world.shared(), clock: world.clock };
    // Fewer than there are conversations, so that both memories forget.
    this.store = new ConversationStore(slow, { cachedMax: CONVERSATIONS - 1, shared });
    this.store.tailBegins(world.memory.epoch, after);
  }

  async follow(events: number): Promise<void> {
    for (const { seq } of this.#world.changes.filter((change) => change.seq > this.seq).slice(0, events)) {
      const event = await this.#world.memory.at(seq);
      if (event === null) throw new Error(`Nothing is stored at ${seq}`);
      this.seq = seq;
      this.store.observe(event);
    }
  }

  /** What is cached is never older than what the tail has passed. */
  assertFollowed(): void {
    for (const id of this.#world.ids) {
      const cached = this.store.cached(id);
      if (cached === undefined) continue;
      expect(cached.version).toBeGreaterThanOrEqual(this.#world.version(id, this.seq));
      expect(cached.state?.title).toBe(this.#world.title(cached.version));
    }
  }
}

const settle = async () => {
  for (let turn = 0; turn < 12; turn++) await Promise.resolve();
};

const which = fc.nat(CONVERSATIONS - 1);
const at = fc.nat(2);
const anyStep = fc.oneof(
  fc.record({ do: fc.constant('change' as const), which }),
  fc.record({ do: fc.constant('start' as const), behind: fc.nat(6) }),
  fc.record({ do: fc.constantFrom('load' as const, 'loadFresh' as const, 'shared' as const), at, which }),
  fc.record({ do: fc.constant('follow' as const), at, events: fc.integer({ min: 1, max: 4 }) }),
  fc.record({
    do: fc.constantFrom('puts' as const, 'gets' as const, 'reads' as const),
    pick: fc.nat(5),
    lost: fc.boolean(),
  }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1_000, 20_000, 59_999, 61_000) }),
);
type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never;

async function take(world: World, step: Step): Promise<void> {
  switch (step.do) {
    case 'change':
      return world.change(world.id(step.which));
    case 'start':
      return world.start(step.behind);
    case 'load':
    case 'loadFresh':
    case 'shared':
      // Nobody waits here: it goes on when what it waits for is let through.
      return void world.process(step.at)?.store[step.do](world.id(step.which));
    case 'follow':
      return world.process(step.at)?.follow(step.events);
    case 'puts':
    case 'gets':
    case 'reads':
      return world[step.do].next(step.pick, step.lost && step.do !== 'reads');
    case 'wait':
      world.clock.ms += step.ms;
  }
}

describe('conversations that processes share', () => {
  it('are never cached older than the tail, in whatever order things happen, and all agree in the end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 60 }), async (steps) => {
        const world = await World.start();
        world.start(0);
        world.start(CONVERSATIONS);
        for (const step of steps) {
          await take(world, step);
          await settle();
          for (const process of world.processes) process.assertFollowed();
        }
        await world.quieten();
        expect(world.staleMs).toBeLessThanOrEqual(SHARED_MS);
        for (const process of world.processes) {
          process.assertFollowed();
          for (const id of world.ids) {
            const loading = process.store.load(id);
            await settle();
            await world.quieten();
            expect((await loading).version).toBe(world.version(id));
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('what other processes know of a conversation', () => {
  /** A conversation that one process has read, so that the shared cache knows it. */
  async function readOnce() {
    const world = await World.start();
    world.start(0);
    const [reader] = world.processes;
    const id = world.id(0);
    const reading = reader?.store.loadFresh(id);
    await settle();
    return { world, id, reading };
  }
  const quietly = async <T>(world: World, asked: Promise<T>): Promise<T> => {
    await settle();
    while (world.puts.waiting + world.gets.waiting + world.reads.waiting > 0) {
      for (const held of [world.puts, world.gets, world.reads]) held.next(0, false);
      await settle();
    }
    return asked;
  };
  /** Another process, whose tail begins at the end of the log. */
  const started = (world: World): ConversationStore => {
    world.start(0);
    const process = world.processes.at(-1);
    if (process === undefined) throw new Error('It was started');
    return process.store;
  };

  it('is good for a minute after it was read, when nobody tells of the change since', async () => {
    const { world, id, reading } = await readOnce();
    world.clock.ms += 30_000;
    await quietly(world, reading ?? Promise.reject(new Error('Nobody reads')));
    await world.change(id);
    const late = started(world);
    world.clock.ms += 29_999;
    expect(await quietly(world, late.shared(id))).toMatchObject({ version: 1 });
    expect(late.cached(id)).toBeUndefined();
    world.clock.ms += 1;
    expect(await quietly(world, late.shared(id))).toBeUndefined();
    expect(await quietly(world, late.load(id))).toMatchObject({ version: 4 });
  });

  it('is cached when the tail has passed all that came since', async () => {
    const { world, id, reading } = await readOnce();
    await quietly(world, reading ?? Promise.reject(new Error('Nobody reads')));
    const other = started(world);
    expect(await quietly(world, other.shared(id))).toMatchObject({ version: 1 });
    expect(other.cached(id)).toMatchObject({ version: 1 });
  });

  it('is told by a process that has it cached as soon as its tail passes a change', async () => {
    const { world, id, reading } = await readOnce();
    await quietly(world, reading ?? Promise.reject(new Error('Nobody reads')));
    await world.change(id);
    await world.process(0)?.follow(1);
    const late = started(world);
    expect(await quietly(world, late.shared(id))).toMatchObject({ version: 4 });
    expect(late.cached(id)).toMatchObject({ version: 4 });
  });

  it('is not told by a tail that is more than a minute behind', async () => {
    const { world, id, reading } = await readOnce();
    await quietly(world, reading ?? Promise.reject(new Error('Nobody reads')));
    await world.change(id);
    world.clock.ms += SHARED_MS;
    await world.process(0)?.follow(1);
    await quietly(world, Promise.resolve());
    expect(await world.values.get(world.memory.epoch, id)).toBeNull();
    expect(world.process(0)?.store.cached(id)).toMatchObject({ version: 4 });
  });

  it('is not cached when the tail passed a change while it was on its way, from the log or from others', async () => {
    const { world, id, reading } = await readOnce();
    const asking = world.process(0)?.store.shared(id);
    await settle();
    world.puts.next(0, false);
    await world.change(id);
    await world.process(0)?.follow(1);
    world.values.put(
      world.memory.epoch,
      id,
      { state: STATE, version: 1, asOfSeq: 3 },
      world.clock.ms + 1_000,
    );
    const answers = await quietly(world, Promise.all([reading, asking]));
    expect(answers.map((answer) => answer?.version)).toEqual([1, undefined]);
    expect(world.process(0)?.store.cached(id)).toBeUndefined();
  });

  it('is told by whoever changed it, also when the tail was faster than the answer', async () => {
    const { world, id } = await readOnce();
    await world.change(id);
    await world.process(0)?.follow(1);
    const event = {
      type: 'ConversationRenamed',
      v: 1,
      conversationId: id,
      userId: 'alice',
      state: STATE,
    } as const;
    world.process(0)?.store.remember(id, { ...event, at: new Date(world.clock.ms).toISOString() }, 4);
    await quietly(world, Promise.resolve());
    expect(await world.values.get(world.memory.epoch, id)).toMatchObject({ version: 4, asOfSeq: 4 });
  });

  it('is asked for once by all who want it at the same time', async () => {
    const { world, id, reading } = await readOnce();
    await quietly(world, reading ?? Promise.reject(new Error('Nobody reads')));
    const other = started(world);
    const asking = [other.shared(id), other.shared(id), other.load(id)];
    await settle();
    expect(world.gets.waiting).toBe(1);
    const answers = await quietly(world, Promise.all(asking));
    expect(answers.map((answer) => answer?.version)).toEqual([1, 1, 1]);
  });

  it('says up to where the tail had come before the log was asked, not after', async () => {
    const { world, id } = await readOnce();
    await world.change(world.id(1));
    await world.process(0)?.follow(1);
    const told: number[] = [];
    world.values.put = (_epoch, _id, { asOfSeq }) => told.push(asOfSeq);
    await quietly(world, Promise.resolve());
    expect(told).toEqual([CONVERSATIONS]);
    expect(world.process(0)?.store.cached(id)).toMatchObject({ version: 1 });
  });

  it('of a log that was replaced meanwhile is neither cached nor told', async () => {
    const { world, id, reading } = await readOnce();
    const store = world.process(0)?.store;
    const asking = store?.shared(id);
    await settle();
    world.values.put(
      world.memory.epoch,
      id,
      { state: STATE, version: 9, asOfSeq: 9 },
      world.clock.ms + 1_000,
    );
    store?.clear();
    await quietly(world, Promise.all([reading, asking]));
    expect(await asking).toBeUndefined();
    expect(store?.cached(id)).toBeUndefined();
    expect(await world.values.get(world.memory.epoch, id)).toMatchObject({ version: 9 });
  });
});

describe('a decision about a conversation that only others know', () => {
  const knownAs = (participantIds: readonly string[], version: number): SharedConversations => ({
    get: async () => ({ state: { ...STATE, participantIds }, version, asOfSeq: version }),
    put: () => {},
  });
  /** A process that has the shared cache, on a log that answers or does not. */
  function processWith(memory: MemoryEventLog, conversations: SharedConversations, logAnswers: boolean) {
    const down = () => Promise.reject(new LogUnavailableError('down'));
    const log = withLog(memory, logAnswers ? {} : { latest: down });
    const store = new ConversationStore(log, { shared: { conversations, clock: new SetClock() } });
    return { ...processOn(memory, () => log), conversations: store };
  }

  it('that allows is taken without the log', async () => {
    const memory = new MemoryEventLog();
    const conversationId = await conversationOf(processOn(memory));
    const process = processWith(memory, knownAs(['alice', 'bob'], 1), false);
    expect(await viewConversation(process, conversationId, 'bob')).toMatchObject({ id: conversationId });
    expect(await postMessage(process, { conversationId, userId: 'bob', content: 'hello' })).toMatchObject({
      seq: 2,
    });
  });

  it('that refuses is taken on the log', async () => {
    const memory = new MemoryEventLog();
    const conversationId = await conversationOf(processOn(memory));
    const process = () => processWith(memory, knownAs(['alice'], 1), true);
    expect(await viewConversation(process(), conversationId, 'bob')).toMatchObject({ id: conversationId });
    expect(await postMessage(process(), { conversationId, userId: 'bob', content: 'hello' })).toMatchObject({
      seq: 2,
    });
    const away = processWith(memory, knownAs(['alice'], 1), false);
    await expect(viewConversation(away, conversationId, 'bob')).rejects.toThrow(
      expect.objectContaining({ code: 'log_unavailable' }),
    );
  });

  it('to change it is always taken on the log', async () => {
    const memory = new MemoryEventLog();
    const conversationId = await conversationOf(processOn(memory));
    const process = processWith(memory, knownAs(['mallory'], 9), true);
    const change = renameConversation(process, { conversationId, userId: 'mallory', title: 'Mine' });
    await expect(change).rejects.toThrow(expect.objectContaining({ status: 404 }));
  });
});
