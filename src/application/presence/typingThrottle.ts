import type { Clock } from '../../ports/clock.ts';

/** Time between two signals of a user in a conversation, at least, in milliseconds. */
const TYPING_MS_MIN = 2_000;

export interface TypingThrottleOptions {
  readonly clock: Clock;
  /** Pairs of user and conversation that are remembered in each of two generations, at most. Default 50,000. */
  readonly pairsMax?: number;
}

/**
 * Lets at most one typing signal per user, conversation and 2 s through, in this process.
 *
 * Remembers in two generations: pairs go into the young one; when that is 2 s old it becomes the old one, and what was
 * old is forgotten at once, without a check of each. A pair is so remembered for 2 to 4 s after it was let through. When
 * the young one is full it becomes the old one early: pairs may then be let through sooner than they should, which costs
 * some signals and nothing else.
 */
export class TypingThrottle {
  readonly #clock: Clock;
  readonly #pairsMax: number;
  #young = new Map<string, number>();
  #old = new Map<string, number>();
  #youngSinceMs: number;

  constructor(options: TypingThrottleOptions) {
    this.#clock = options.clock;
    this.#pairsMax = options.pairsMax ?? 50_000;
    this.#youngSinceMs = this.#clock.nowMs();
  }

  /** Pairs remembered. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** Whether the signal may be sent; true counts as sent. */
  allow(conversationId: string, userId: string): boolean {
    const nowMs = this.#clock.nowMs();
    // Conversation ids are all of one length and hold no space: pairs cannot run into each other.
    const pair = `${conversationId} ${userId}`;
    const latestMs = this.#young.get(pair) ?? this.#old.get(pair);
    // A clock that was set back must not silence anybody: what lies in the future does not count.
    if (latestMs !== undefined && latestMs <= nowMs && nowMs - latestMs < TYPING_MS_MIN) return false;
    const ageMs = nowMs - this.#youngSinceMs;
    if (ageMs < 0 || ageMs >= TYPING_MS_MIN || this.#young.size >= this.#pairsMax) this.#turnOver(nowMs);
    this.#young.set(pair, nowMs);
    return true;
  }

  #turnOver(nowMs: number): void {
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngSinceMs = nowMs;
  }
}
