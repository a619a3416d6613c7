import { ChatError } from '../../contracts/errors.ts';
import type { Timers } from '../../ports/timers.ts';
import { jittered } from '../time/jitter.ts';
import type { Database, PrismaClient, Reads } from './database.ts';

/**
 * - `unknown`: not checked yet
 * - `usable`: asked first
 * - `behind`: answers, but what it has is too old
 * - `away`: does not answer
 */
export type ReplicaState = 'unknown' | 'usable' | 'behind' | 'away';

export interface ReplicaReadsOptions {
  readonly primary: Reads;
  readonly replica: Pick<Database, 'ask'>;
  /** Asks the replica how far what it has is behind, in seconds. @throws when it does not answer */
  readonly lagSeconds: () => Promise<number>;
  /** Further behind, it is not asked. */
  readonly lagSecondsMax: number;
  readonly timers: Timers;
  /** Between two checks, in milliseconds, ±10 %. Default 1,000. */
  readonly checkMs?: number;
  readonly onChange?: (state: ReplicaState, lagSeconds: number | null) => void;
}

/**
 * Asks a read replica, and the primary instead whenever the replica is not known to be fit: before the first check, when
 * it is too far behind, when it does not answer. A question that fails on the replica is asked again on the primary, so
 * the replica can be lost, restarted and left behind without anybody noticing.
 *
 * Which state it is in is found out by a check every second, never by a client's request; one that fails in between costs
 * that request one more question.
 */
export class ReplicaReads implements Reads {
  readonly #options: ReplicaReadsOptions;
  #cancelCheck: () => void = () => {};
  #stopped = false;
  state: ReplicaState = 'unknown';
  /** At the latest check that was answered; `null` before. */
  lagSeconds: number | null = null;

  constructor(options: ReplicaReadsOptions) {
    this.#options = options;
    void this.#check();
  }

  async ask<T>(operation: string, question: (prisma: PrismaClient) => PromiseLike<T>): Promise<T> {
    const { primary, replica } = this.#options;
    if (this.state !== 'usable') return primary.ask(operation, question);
    try {
      return await replica.ask(operation, question);
    } catch (error) {
      if (!(error instanceof ChatError) || error.code !== 'database_unavailable') throw error;
      return primary.ask(operation, question);
    }
  }

  /** Ends the checks. */
  stop(): void {
    this.#stopped = true;
    this.#cancelCheck();
  }

  async #check(): Promise<void> {
    const { lagSeconds, lagSecondsMax } = this.#options;
    try {
      this.lagSeconds = await lagSeconds();
      this.#become(this.lagSeconds <= lagSecondsMax ? 'usable' : 'behind');
    } catch {
      // Its breaker says why it does not answer.
      this.#become('away');
    }
    if (this.#stopped) return;
    const checkMs = jittered(this.#options.checkMs ?? 1_000, 0.1, Math.random);
    this.#cancelCheck = this.#options.timers.after(checkMs, () => void this.#check());
  }

  #become(state: ReplicaState): void {
    if (this.state === state || this.#stopped) return;
    this.state = state;
    this.#options.onChange?.(state, this.lagSeconds);
  }
}
