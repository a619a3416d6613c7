import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PresenceRoster } from '../../../../src/application/presence/presenceRoster.ts';
import { MemorySignalBus } from '../../../../src/platform/signals/memorySignals.ts';
import { type PresenceProcess, startPresence } from '../../../support/application/presenceProcesses.ts';
import { ManualTime } from '../../../support/time/manualTime.ts';

const USERS = ['alice', 'bob', '__proto__', 'd,e'];
const EDGES = 3;
/** The longest time from one round to the end of the next. */
const ROUND_MS_MAX = 24_250;
const GONE_MS_MAX = 65_000;

type Step =
  | { do: 'connect' | 'disconnect'; edge: number; user: string }
  | { do: 'lose'; edge: number; percent: number }
  | { do: 'stop' | 'crash' | 'refresh'; edge: number }
  | { do: 'wait'; ms: number };

const edge = fc.nat(EDGES - 1);
const user = fc.constantFrom(...USERS);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constantFrom('connect', 'disconnect'), edge, user }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait'), ms: fc.nat(30_000) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait'), ms: fc.nat(300) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('lose'), edge, percent: fc.nat(100) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('stop', 'crash', 'refresh'), edge }) },
) as fc.Arbitrary<Step>;

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
function chances(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

class Cluster {
  readonly time = new ManualTime();
  readonly #bus = new MemorySignalBus();
  readonly #random: () => number;
  readonly #edges: { process: PresenceProcess; sockets: string[] }[];
  /** Whether an edge ended whose end somebody may not have heard of. */
  crashed = false;

  constructor(seed: number) {
    this.#random = chances(seed);
    this.#edges = Array.from({ length: EDGES }, () => this.#start());
  }

  async take(step: Step): Promise<void> {
    if (step.do === 'wait') return this.time.advance(step.ms);
    const edge = this.#edges[step.edge]!;
    const { presence, signals } = edge.process;
    if (step.do === 'connect') {
      edge.sockets.push(step.user);
      presence.connected(step.user);
    } else if (step.do === 'disconnect') {
      const index = edge.sockets.indexOf(step.user);
      if (index >= 0) edge.sockets.splice(index, 1);
      presence.disconnected(step.user);
    } else if (step.do === 'lose') signals.loses = () => this.#random() * 100 < step.percent;
    else if (step.do === 'refresh') presence.refresh();
    else {
      if (step.do === 'crash') signals.loses = () => true;
      this.crashed = true;
      presence.stop();
      this.#edges[step.edge] = this.#start();
    }
  }

  /** Nothing gets lost any more, and everybody tells everything once. */
  async settle(): Promise<void> {
    for (const { process } of this.#edges) process.signals.loses = () => false;
    await this.time.advance(ROUND_MS_MAX + (this.crashed ? GONE_MS_MAX : 0));
  }

  /** Who is online as each edge sees it, and as it is. */
  views(): { seen: string[][]; real: string[] } {
    const online = (is: (user: string) => boolean) => USERS.filter(is);
    const seen = this.#edges.map(({ process }) => online((user) => process.presence.isOnline(user)));
    const real = online((user) => this.#edges.some(({ sockets }) => sockets.includes(user)));
    return { seen, real };
  }

  stop(): void {
    for (const { process } of this.#edges) process.presence.stop();
  }

  #start() {
    return { process: startPresence(this.#bus, this.time, { random: this.#random }), sockets: [] };
  }
}

describe('whatever happens and gets lost', () => {
  it('after a whole round without losses all processes agree with who is connected', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.array(step, { maxLength: 40 }), async (seed, steps) => {
        const cluster = new Cluster(seed);
        for (const each of steps) await cluster.take(each);
        await cluster.settle();
        const { seen, real } = cluster.views();
        expect(seen).toEqual(Array(EDGES).fill(real));
        cluster.stop();
        expect(cluster.time.pending).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});

const edgeId = fc.constantFrom('e1', 'e2', 'e3', 'e4');
const users = fc.array(fc.nat(30).map(String), { maxLength: 12 });
const small = fc.nat(3);
const announcement = fc.oneof(
  fc.record({
    type: fc.constant('presence' as const),
    full: fc.constant(false as const),
    edgeId,
    online: users,
    offline: users,
  }),
  fc.record({
    type: fc.constant('presence' as const),
    full: fc.constant(true as const),
    edgeId,
    round: small,
    part: small,
    last: fc.boolean(),
    online: users,
  }),
);

describe('whatever is announced', () => {
  it('keeps to the bounds, and is forgotten once nobody is heard', () => {
    fc.assert(
      fc.property(fc.array(fc.option(announcement), { maxLength: 60 }), (heard) => {
        const roster = new PresenceRoster({ usersMax: 10, edgesMax: 3, silentSweepsMax: 4 });
        for (const each of heard) {
          if (each === null) roster.sweep();
          else roster.hear(each);
          expect(roster.size).toBeLessThanOrEqual(10);
          expect(roster.edges).toBeLessThanOrEqual(3);
        }
        for (let n = 0; n < 4; n++) roster.sweep();
        expect([roster.size, roster.edges]).toEqual([0, 0]);
        expect(Array.from({ length: 31 }, (_, n) => roster.has(String(n)))).not.toContain(true);
      }),
    );
  });
});
