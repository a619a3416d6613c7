import type { EventLog, LogStatus } from '../../ports/eventLog.ts';
import { jittered } from '../time/jitter.ts';
import { withTimeout } from '../time/withTimeout.ts';

/** What is known of the log's end without asking for it each time. */
export interface LogHead {
  /** The last sequence at the latest poll, or a later one that this process appended or read since; 0 before the first. */
  lastSeq(): number;
  /** Whether the log answered when it was last asked, not longer ago than an interval: there may be more than is known if not. */
  isFresh(): boolean;
  /** When the log's end was last seen at or before `seq`, in milliseconds since 1970; null when it never was. */
  notBeyondAtMs(seq: number): number | null;
  /** How long ago the log last answered, in milliseconds; null when it never has. */
  ageMs(): number | null;
  /**
   * Asks the log now, once for all who ask at the same time.
   *
   * @throws TimeoutError when it does not answer in time, or what the log throws
   */
  ask(): Promise<LogStatus>;
}

export interface LogHeadOptions {
  readonly log: Pick<EventLog, 'status' | 'knownSeq'>;
  readonly nowMs: () => number;
  /** Between two polls, in milliseconds, ±10 %. Default 1,000. */
  readonly intervalMs?: number;
  /** How long the log may take for one answer, in milliseconds. Default 2,000. */
  readonly answerMsMax?: number;
}

/** By how much the pause between two polls differs from the interval, as a share of it. */
const JITTER = 0.1;

/** Polls that are remembered for {@link LogHead.notBeyondAtMs}: ten minutes of a log that never stands still. */
const POLLS_MAX = 600;

/**
 * Polls the end of the log. A log that does not answer changes nothing but the age of what is
 * known; the next poll comes all the same.
 */
export class PolledLogHead implements LogHead {
  readonly #options: LogHeadOptions;
  /** Oldest first; for each sequence the latest time that it was the end. */
  readonly #polls: { seq: number; atMs: number }[] = [];
  #asking: Promise<LogStatus> | null = null;
  /** The log did not answer when it was last asked. */
  #isSilent = true;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  private constructor(options: LogHeadOptions) {
    this.#options = options;
  }

  /** Resolves after the first poll, whether the log answered or not. */
  static async start(options: LogHeadOptions): Promise<PolledLogHead> {
    const head = new PolledLogHead(options);
    await head.#poll();
    return head;
  }

  lastSeq(): number {
    return Math.max(this.#polls.at(-1)?.seq ?? 0, this.#options.log.knownSeq);
  }

  isFresh(): boolean {
    const ageMs = this.ageMs();
    return !this.#isSilent && ageMs !== null && ageMs <= this.#intervalMs * (1 + JITTER) + this.#answerMsMax;
  }

  notBeyondAtMs(seq: number): number | null {
    return this.#polls.findLast((poll) => poll.seq <= seq)?.atMs ?? null;
  }

  ageMs(): number | null {
    const latest = this.#polls.at(-1);
    return latest === undefined ? null : Math.max(0, this.#options.nowMs() - latest.atMs);
  }

  ask(): Promise<LogStatus> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  /** Ends the polling. What is known stays. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #ask(): Promise<LogStatus> {
    // Taken before asking: an event stored while the answer travels is younger than this.
    const atMs = this.#options.nowMs();
    try {
      const status = await withTimeout(this.#options.log.status(), this.#answerMsMax, 'Asking the log');
      this.#remember(status.lastSeq, atMs);
      this.#isSilent = false;
      return status;
    } catch (error) {
      this.#isSilent = true;
      throw error;
    }
  }

  #remember(seq: number, atMs: number): void {
    const latest = this.#polls.at(-1);
    if (latest?.seq === seq) latest.atMs = atMs;
    else this.#polls.push({ seq, atMs });
    if (this.#polls.length > POLLS_MAX) this.#polls.shift();
  }

  get #intervalMs(): number {
    return this.#options.intervalMs ?? 1_000;
  }

  get #answerMsMax(): number {
    return this.#options.answerMsMax ?? 2_000;
  }

  async #poll(): Promise<void> {
    await this.ask().catch(() => {});
    if (this.#stopped) return;
    const pauseMs = jittered(this.#intervalMs, JITTER, Math.random);
    this.#timer = setTimeout(() => void this.#poll(), pauseMs);
  }
}
