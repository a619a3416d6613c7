import type { Clock } from '../../../src/ports/clock.ts';
import type { Timers } from '../../../src/ports/timers.ts';

interface Timer {
  readonly atMs: number;
  readonly run: () => void;
}

/** Time that passes when the test says so: a clock and its timers. */
export class ManualTime implements Clock, Timers {
  readonly #timers = new Set<Timer>();
  /** Time that has passed, and what the clock says beyond that. */
  #passedMs = 0;
  #clockMs = Date.parse('2026-01-01T00:00:00.000Z');

  /** Timers that are set. */
  get pending(): number {
    return this.#timers.size;
  }

  nowMs(): number {
    return this.#clockMs + this.#passedMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.#passedMs + delayMs, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Lets time pass: timers go off in order, each at its time, and what they send arrives before the next one does. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#passedMs + ms;
    await arrivals();
    for (let timer = this.#nextUntil(untilMs); timer !== null; timer = this.#nextUntil(untilMs)) {
      this.#timers.delete(timer);
      this.#passedMs = timer.atMs;
      timer.run();
      await arrivals();
    }
    this.#passedMs = untilMs;
  }

  /** Sets the clock without letting time pass, as an operator might. */
  setClock(byMs: number): void {
    this.#clockMs += byMs;
  }

  #nextUntil(untilMs: number): Timer | null {
    let next: Timer | null = null;
    for (const timer of this.#timers) if (next === null || timer.atMs < next.atMs) next = timer;
    return next !== null && next.atMs <= untilMs ? next : null;
  }
}

/** What was sent over the bus in memory is there one microtask later. */
async function arrivals(): Promise<void> {
  await Promise.resolve();
}
