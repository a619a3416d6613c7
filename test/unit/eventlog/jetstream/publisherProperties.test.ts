import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import {
  LogOverloadedError,
  LogUnavailableError,
  UnknownOutcomeError,
} from '../../../../src/ports/eventLog.ts';
import type { Attempt } from '../../../support/eventlog/fakeNats.ts';
import {
  ACK_MS,
  DEADLINE_MS,
  type Outcome,
  Publishing,
  passes,
  SWEEP_MS,
  stored,
  turn,
} from '../../../support/eventlog/publishing.ts';

const WINDOW_MAX = 3;
const QUEUE_MAX = 4;
const BYTES_MAX = 40;
const PAUSE_MS_MAX = 1_500;

beforeEach(() => {
  vi.useFakeTimers();
  // So that a seed tells all: the pauses are drawn from it otherwise.
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** A stream that stores each id once, and a way to it on which attempts and answers are late or lost. */
class World {
  readonly on = new Publishing({ windowMax: WINDOW_MAX, queueMax: QUEUE_MAX, queueBytesMax: BYTES_MAX });
  readonly messages: { readonly key: string; readonly bytes: number; readonly outcome: Outcome }[] = [];
  /** Sequences by id. */
  readonly log = new Map<string, number>();
  #isConnected = true;
  readonly #handled = new Set<Attempt>();

  publish(bytes: number): void {
    const key = `m${this.messages.length}`;
    this.messages.push({ key, bytes, outcome: this.on.publish(key, { text: 'x'.repeat(bytes) }) });
  }

  /** Any attempt that the stream has not seen yet gets there, also one that was given up long ago. */
  arrive(pick: number, how: 'answered' | 'unheard' | 'notNow' | 'lost'): void {
    const waiting = this.on.nats.attempts.filter((attempt) => !this.#handled.has(attempt));
    const attempt = waiting[pick % Math.max(1, waiting.length)];
    if (attempt === undefined) return;
    this.#handled.add(attempt);
    if (how === 'lost') return;
    if (how === 'notNow') return attempt.answer('');
    const known = this.log.get(attempt.id);
    const seq = known ?? this.log.size + 1;
    this.log.set(attempt.id, seq);
    if (how === 'answered') attempt.answer(stored(seq, known === undefined ? {} : { duplicate: true }));
  }

  /** As the client tells it: never found without having been lost. */
  loseOrFind(): void {
    this.#isConnected = !this.#isConnected;
    if (this.#isConnected) this.on.nats.find();
    else this.on.nats.lose();
  }

  isHandled(attempt: Attempt): boolean {
    return this.#handled.has(attempt);
  }

  /** What nobody answers any more settles within a time-out, or a pause, of its deadline. */
  async end(): Promise<void> {
    await passes(DEADLINE_MS + Math.max(ACK_MS, PAUSE_MS_MAX) + 2 * SWEEP_MS);
  }

  assertBounds(): void {
    const open = this.messages.filter(({ outcome }) => outcome.value === null);
    const sent = new Set(this.on.sentIds);
    const inFlight = open.filter(({ key }) => sent.has(key));
    expect(inFlight.length).toBeLessThanOrEqual(WINDOW_MAX);
    expect(open.length - inFlight.length).toBeLessThanOrEqual(QUEUE_MAX);
    expect(open.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(BYTES_MAX);
    expect(this.on.publisher.pending).toBe(open.length);
  }

  /** First attempts in the order of the calls, all attempts of a message under its own id with its own bytes. */
  assertOrder(): void {
    const firsts = [...new Set(this.on.sentIds)];
    const calls = this.messages.map(({ key }) => key).filter((key) => firsts.includes(key));
    expect(firsts).toEqual(calls);
    for (const { id, text } of this.on.nats.attempts) {
      expect(text.length).toBe(this.messages.find(({ key }) => key === id)?.bytes);
    }
  }

  /** What was told is so: stored where it says, or not stored at all, unless it says that it is not known. */
  assertTruth(): void {
    for (const { key, outcome } of this.messages) {
      const { value } = outcome;
      const seq = this.log.get(key);
      if (value instanceof LogOverloadedError) expect(this.on.nats.of(key)).toEqual([]);
      if (value instanceof LogOverloadedError || value instanceof LogUnavailableError)
        expect(seq, key).toBeUndefined();
      else if (!(value instanceof UnknownOutcomeError)) {
        expect(value, key).toMatchObject({ outcome: 'stored', seq, duplicate: false });
      }
    }
  }
}

const anyStep = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('publish' as const), bytes: fc.integer({ min: 1, max: 12 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('arrive' as const),
      pick: fc.nat(9),
      how: fc.constantFrom(
        'answered' as const,
        'answered' as const,
        'unheard' as const,
        'notNow' as const,
        'lost' as const,
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(10, 60, 200, 600) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('turn' as const, 'connection' as const) }),
  },
);
type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never;

async function take(world: World, step: Step): Promise<void> {
  switch (step.do) {
    case 'publish':
      return world.publish(step.bytes);
    case 'arrive':
      world.arrive(step.pick, step.how);
      await turn();
      return;
    case 'pass':
      await passes(step.ms);
      return;
    case 'turn':
      await turn();
      return;
    case 'connection':
      world.loseOrFind();
      await turn();
      return;
  }
}

it('whatever gets lost or late: the bounds hold, the order is kept, every message settles, and what is told is so', async () => {
  const seen = { stored: 0, unavailable: 0, unknown: 0, overloaded: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { maxLength: 60, size: 'max' }), async (steps) => {
      const world = new World();
      for (const step of steps) {
        await take(world, step);
        if (step.do !== 'publish') world.assertBounds();
        world.assertOrder();
      }
      await world.end();
      expect(world.messages.filter(({ outcome }) => outcome.value === null)).toEqual([]);
      // What was on its way all the time may still arrive: only those of unknown outcome may be among it.
      while (world.on.nats.attempts.some((attempt) => !world.isHandled(attempt))) world.arrive(0, 'answered');
      await turn();
      world.assertTruth();
      for (const { outcome } of world.messages) {
        if (outcome.value instanceof LogOverloadedError) seen.overloaded += 1;
        else if (outcome.value instanceof UnknownOutcomeError) seen.unknown += 1;
        else if (outcome.value instanceof LogUnavailableError) seen.unavailable += 1;
        else seen.stored += 1;
      }
      // The timers of this world are not those of the next.
      vi.clearAllTimers();
    }),
    { numRuns: 300 },
  );
  // Each way to end was gone often enough to say something.
  expect(Math.min(...Object.values(seen)), JSON.stringify(seen)).toBeGreaterThan(20);
});
