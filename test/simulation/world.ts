import type { Timers } from '../../src/ports/timers.ts';

/** Chance that can be had again: the same seed, the same numbers. Source: Mulberry32 by Tommy Ettinger. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Somebody to whom things happen: a process that may be frozen or dead. */
export class Party {
  frozenUntilMs = 0;
  dead = false;
}

interface Happening {
  readonly atMs: number;
  readonly order: number;
  readonly party: Party | null;
  readonly run: () => void;
}

/**
 * Time, chance and everything that happens, one thing after the other: the whole system in one thread, without a real
 * clock. What happens to a frozen party waits until it thaws; to a dead one, nothing happens any more.
 */
export class World {
  readonly random: () => number;
  readonly #happenings = new Set<Happening>();
  #order = 0;
  nowMs = 0;

  constructor(seed: number) {
    this.random = seeded(seed);
  }

  /** @returns a function that calls it off */
  after(delayMs: number, run: () => void, party: Party | null = null): () => void {
    this.#order += 1;
    const happening = { atMs: this.nowMs + delayMs, order: this.#order, party, run };
    this.#happenings.add(happening);
    return () => this.#happenings.delete(happening);
  }

  timersOf(party: Party): Timers {
    return { after: (delayMs, run) => this.after(delayMs, run, party) };
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  between(least: number, most: number): number {
    return least + this.random() * (most - least);
  }

  pick<T>(from: readonly T[]): T | undefined {
    return from[Math.floor(this.random() * from.length)];
  }

  /** Lets things happen until `done`, at most for `timeoutMs`. @returns whether it is done */
  async runUntil(done: () => boolean, timeoutMs: number): Promise<boolean> {
    const endMs = this.nowMs + timeoutMs;
    while (!done()) {
      const next = this.#next();
      if (next === null || next.atMs > endMs) return done();
      this.#happenings.delete(next);
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.run();
      // All that follows from it without waiting for anything.
      await new Promise((resolve) => setImmediate(resolve));
    }
    return true;
  }

  #next(): Happening | null {
    let next: Happening | null = null;
    for (const happening of this.#happenings) {
      const { party } = happening;
      if (party?.dead === true) this.#happenings.delete(happening);
      else if (party !== null && party.frozenUntilMs > happening.atMs) this.#postpone(happening, party);
      else if (next === null || comesBefore(happening, next)) next = happening;
    }
    return next;
  }

  #postpone(happening: Happening, party: Party): void {
    this.#happenings.delete(happening);
    this.#happenings.add({ ...happening, atMs: party.frozenUntilMs });
  }
}

function comesBefore(one: Happening, other: Happening): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}
