import type { Timers } from '../../ports/timers.ts';

/** Users who may be about to come back, at most; beyond, those who left first leave at once. */
const LEAVING_MAX = 100_000;
/** How exact a departure is, in milliseconds. */
const TICK_MS = 500;

export interface DeparturesOptions {
  readonly timers: Timers;
  /** How long a user may be without a socket, in milliseconds; 0: not at all. */
  readonly graceMs: number;
  /** The time is over, and the user has not come back. */
  readonly onGone: (userId: string) => void;
}

/**
 * Users whose last socket has closed and who still count as there, because most are back at once: a page that is
 * loaded again, a phone that changes its network. Each is gone `graceMs` later, up to one tick more.
 *
 * Invariants: one timer, and none while nobody is leaving. It counts ticks and reads no clock, so no change of the
 * machine's time keeps anybody here.
 */
export class Departures {
  readonly #options: DeparturesOptions;
  readonly #ticks: number;
  /** At which tick each is gone, the earliest first. */
  readonly #leaving = new Map<string, number>();
  #tick = 0;
  #cancel: (() => void) | null = null;

  constructor(options: DeparturesOptions) {
    this.#options = options;
    this.#ticks = Math.ceil(options.graceMs / TICK_MS) + 1;
  }

  has(userId: string): boolean {
    return this.#leaving.has(userId);
  }

  leave(userId: string): void {
    const { graceMs, onGone } = this.#options;
    if (graceMs === 0) return onGone(userId);
    this.#leaving.set(userId, this.#tick + this.#ticks);
    const [first] = this.#leaving.keys();
    if (this.#leaving.size > LEAVING_MAX && first !== undefined) this.#go(first);
    this.#tickLater();
  }

  /** @returns whether the user was leaving, and now is not */
  comeBack(userId: string): boolean {
    return this.#leaving.delete(userId);
  }

  /** Ends it; nobody is gone any more. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#leaving.clear();
  }

  #go(userId: string): void {
    this.#leaving.delete(userId);
    this.#options.onGone(userId);
  }

  #tickLater(): void {
    if (this.#cancel !== null || this.#leaving.size === 0) return;
    this.#cancel = this.#options.timers.after(TICK_MS, () => {
      this.#cancel = null;
      this.#tick += 1;
      for (const [userId, tick] of this.#leaving) {
        if (tick > this.#tick) break;
        this.#go(userId);
      }
      this.#tickLater();
    });
  }
}
