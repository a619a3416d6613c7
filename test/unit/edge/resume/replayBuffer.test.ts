import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { ReplayBuffer } from '../../../../src/edge/resume/replayBuffer.ts';

interface Bounds {
  readonly eventsMax: number;
  readonly bytesMax: number;
}

/** An event that the buffer should hold. `prev` is null while it is not known. */
interface Held {
  readonly seq: number;
  readonly conversationId: string;
  readonly bytes: Buffer;
  prev: number | null;
  erased: boolean;
}

/** The same buffer as a plain list. What is forgotten is taken from the buffer's `from`, once that was found to be right. */
class Model {
  readonly #bounds: Bounds;
  /** All events since the buffer was last empty, oldest first. */
  #added: Held[] = [];
  from: number;
  to: number;

  constructor(bounds: Bounds, from: number) {
    this.#bounds = bounds;
    this.from = from;
    this.to = from - 1;
  }

  get held(): readonly Held[] {
    return this.#added.filter(({ seq }) => seq >= this.from);
  }

  of(conversationId: string): Held[] {
    return this.held.filter((event) => event.conversationId === conversationId && !event.erased);
  }

  add(event: Held): void {
    this.to = event.seq;
    if (event.bytes.length > this.#bounds.bytesMax) {
      this.#added = [];
      this.from = event.seq + 1;
      return;
    }
    // The buffer makes room first: what is forgotten for an event is no link for it.
    this.#added.push(event);
  }

  /** Checks what the buffer has forgotten, and forgets it too. */
  forget(from: number): void {
    expect(from).toBeGreaterThanOrEqual(this.from);
    const forgotten = this.#added.filter(({ seq }) => seq < from).at(-1);
    if (from !== this.from) expect(from).toBe((forgotten?.seq ?? Number.NaN) + 1);
    this.from = from;
    const { eventsMax, bytesMax } = this.#bounds;
    expect(this.held.length).toBeLessThanOrEqual(eventsMax);
    expect(bytesOf(this.held)).toBeLessThanOrEqual(bytesMax);
    expect(this.held.length).toBeGreaterThanOrEqual(this.#leastHeld());
  }

  /** Bytes of an event are never split: at the end of the ring, less than the largest event may stay unused. */
  #leastHeld(): number {
    const { eventsMax, bytesMax } = this.#bounds;
    const unused = Math.max(0, ...this.#added.map(({ bytes }) => bytes.length - 1));
    const newest = this.#added.slice(-eventsMax);
    while (bytesOf(newest) + unused > bytesMax && newest.length > 0) newest.shift();
    return newest.length;
  }
}

const bytesOf = (events: readonly Held[]) => events.reduce((sum, { bytes }) => sum + bytes.length, 0);

/** A buffer and its model, to which the same things happen. */
class Pair {
  readonly #bounds: Bounds;
  readonly buffer: ReplayBuffer;
  model: Model;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
    this.buffer = new ReplayBuffer(bounds);
    this.model = new Model(bounds, 1);
    this.buffer.begin(1);
  }

  begin(from: number): void {
    this.model = new Model(this.#bounds, from);
    this.buffer.begin(from);
  }

  add(conversationId: string, size: number, { gap = 0, linked = true } = {}): void {
    const seq = this.model.to + 1 + gap;
    const bytes = Buffer.alloc(size, (seq % 255) + 1);
    const known = linked ? (this.model.of(conversationId).at(-1)?.seq ?? 0) : null;
    this.buffer.add({ seq, conversationId, bytes, category: 'message', storedAtMs: 0 }, known);
    const event = { seq, conversationId, bytes, prev: known, erased: false };
    this.model.add(event);
    this.model.forget(this.buffer.from);
    event.prev ??= this.model.of(conversationId).at(-2)?.seq ?? null;
  }

  erase(conversationId: string, from: number, every: number): void {
    const isErased = ({ seq }: { seq: number }) => seq % every === 0;
    this.buffer.erase(conversationId, from, isErased);
    const events = this.model.of(conversationId);
    for (const [n, event] of events.entries()) {
      if (event.seq < from || !isErased(event)) continue;
      event.erased = true;
      const next = events[n + 1];
      if (next !== undefined) next.prev = event.prev;
    }
  }

  link(conversationId: string, n: number, prev: number): void {
    const events = this.model.of(conversationId);
    const event = events[n % Math.max(1, events.length)];
    if (event === undefined) return;
    this.buffer.link(conversationId, event.seq, prev);
    if (event === events[0]) event.prev ??= prev;
  }

  check(): void {
    const { buffer, model } = this;
    expect({ size: buffer.size, from: buffer.from, to: buffer.to }).toEqual({
      size: model.held.length,
      from: model.from,
      to: model.to,
    });
    for (const after of [model.from - 2, model.from - 1, ...model.held.map(({ seq }) => seq), model.to + 9]) {
      for (const conversationId of CONVERSATIONS) this.#checkAfter(conversationId, after);
      this.#checkConversations(after);
    }
  }

  #checkAfter(conversationId: string, after: number): void {
    const expected = this.model.of(conversationId).filter(({ seq }) => seq > after);
    const whole = after + 1 >= this.model.from && expected[0]?.prev !== null;
    expect(this.buffer.hasAllAfter(conversationId, after)).toBe(whole);
    if (!whole) return;
    const events = [...this.buffer.eventsAfter(conversationId, after)];
    const read = events.map(({ seq, prev, bytes }) => ({ seq, prev, bytes: Buffer.from(bytes) }));
    expect(read).toEqual(expected.map(({ seq, prev, bytes }) => ({ seq, prev, bytes })));
    expect(events.every((event) => event.conversationId === conversationId)).toBe(true);
  }

  #checkConversations(after: number): void {
    const later = this.model.held.filter(({ seq, erased }) => seq > after && !erased);
    const expected = new Set(later.map(({ conversationId }) => conversationId));
    expect(this.buffer.conversationsAfter(after)).toEqual(after + 1 < this.model.from ? 'unknown' : expected);
  }
}

const CONVERSATIONS = ['c_one', 'c_two', 'c_three'];
const conversation = fc.constantFrom(...CONVERSATIONS);

const step = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('add' as const),
      conversation,
      size: fc.integer({ min: 1, max: 45 }),
      gap: fc.nat(2),
      linked: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('erase' as const),
      conversation,
      back: fc.nat(12),
      every: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('link' as const), conversation, n: fc.nat(3), prev: fc.nat(50) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('begin' as const), from: fc.integer({ min: 1, max: 60 }) }),
  },
);

test('whatever is added, erased and linked, it reads as a list of the newest events would', () => {
  fc.assert(
    fc.property(
      fc.record({ eventsMax: fc.integer({ min: 1, max: 12 }), bytesMax: fc.integer({ min: 20, max: 160 }) }),
      fc.array(step, { minLength: 1, maxLength: 60 }),
      (bounds, steps) => {
        const pair = new Pair(bounds);
        for (const action of steps) {
          if (action.do === 'add') pair.add(action.conversation, action.size, action);
          else if (action.do === 'erase') {
            pair.erase(action.conversation, pair.model.to - action.back, action.every);
          } else if (action.do === 'link') pair.link(action.conversation, action.n, action.prev);
          else pair.begin(action.from);
          pair.check();
        }
      },
    ),
    { numRuns: 500 },
  );
});

describe('a buffer', () => {
  const [one = '', two = ''] = CONVERSATIONS;
  const seqsAfter = ({ buffer }: Pair, after: number, conversationId = one) =>
    [...buffer.eventsAfter(conversationId, after)].map(({ seq }) => seq);

  it('holds as many events as it may, and the oldest goes first', () => {
    const pair = new Pair({ eventsMax: 3, bytesMax: 1_000 });
    for (let n = 0; n < 5; n++) pair.add(one, 10);
    expect([pair.buffer.size, pair.buffer.from]).toEqual([3, 3]);
    expect(pair.buffer.hasAllAfter(one, 1)).toBe(false);
    expect(seqsAfter(pair, 2)).toEqual([3, 4, 5]);
  });

  it('holds as many bytes as it may, and the oldest go first', () => {
    const pair = new Pair({ eventsMax: 100, bytesMax: 100 });
    for (let n = 0; n < 10; n++) pair.add(one, 10);
    expect(pair.buffer.size).toBe(10);
    pair.add(one, 25);
    expect(seqsAfter(pair, pair.buffer.from - 1)).toEqual([4, 5, 6, 7, 8, 9, 10, 11]);
  });

  it('goes on after an event that is larger than itself', () => {
    const pair = new Pair({ eventsMax: 10, bytesMax: 100 });
    pair.add(one, 10);
    pair.add(one, 101);
    expect([pair.buffer.size, pair.buffer.from, pair.buffer.to]).toEqual([0, 3, 2]);
    pair.add(one, 10);
    expect(seqsAfter(pair, 2)).toEqual([3]);
  });

  it('overwrites what is erased, also for a client that is just reading it', () => {
    const pair = new Pair({ eventsMax: 10, bytesMax: 100 });
    for (const id of [one, two, one]) pair.add(id, 10);
    const [first] = pair.buffer.eventsAfter(one, 0);
    expect(first?.bytes.every((byte) => byte === 2)).toBe(true);
    pair.buffer.erase(one, 1, ({ seq }) => seq === 1);
    expect(first?.bytes.every((byte) => byte === 0)).toBe(true);
    expect([...pair.buffer.eventsAfter(one, 0)].map(({ seq, prev }) => [seq, prev])).toEqual([[3, 0]]);
    expect(seqsAfter(pair, 0, two)).toEqual([2]);
  });

  it('holds nothing of the log before, even at the same sequences', () => {
    const pair = new Pair({ eventsMax: 10, bytesMax: 100 });
    for (let n = 0; n < 5; n++) pair.add(one, 10);
    pair.begin(3);
    expect(seqsAfter(pair, 0)).toEqual([]);
    expect(pair.buffer.hasAllAfter(one, 1)).toBe(false);
    pair.add(two, 10);
    expect([seqsAfter(pair, 2), seqsAfter(pair, 2, two)]).toEqual([[], [3]]);
  });

  it('knows nothing before it has begun', () => {
    const buffer = new ReplayBuffer({ eventsMax: 10, bytesMax: 100 });
    expect(buffer.hasAllAfter(one, 5)).toBe(false);
    expect(buffer.conversationsAfter(5)).toBe('unknown');
  });
});
