import type { EventLog, LogStatus } from '../../ports/eventLog.ts';
import { jittered } from '../time/jitter.ts';
import { withTimeout } from '../time/withTimeout.ts';

/** What is known of the log's end without asking for it each time. */
export interface LogHead {
  /** The last sequence at the latest poll; 0 before the first. */
  lastSeq(): number;
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
  readonly log: Pick<EventLog, 'status'>;
  readonly nowMs: () => number;
  /** Between two polls, in milliseconds, ±10 %. Default 1,000. */
  readonly intervalMs?: number;
  /** How long the log may take for one answer, in milliseconds. Default 2,000. */
  readonly answerMsMax?: number;
}

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
    return this.#polls.at(-1)?.seq ?? 0;
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
    const answer = this.#options.log.status();
    const status = await withTimeout(answer, this.#options.answerMsMax ?? 2_000, 'Asking the log');
    this.#remember(status.lastSeq, atMs);
    return status;
  }

  #remember(seq: number, atMs: number): void {
    const latest = this.#polls.at(-1);
    if (latest?.seq === seq) latest.atMs = atMs;
    else this.#polls.push({ seq, atMs });
    if (this.#polls.length > POLLS_MAX) this.#polls.shift();
  }

  async #poll(): Promise<void> {
    await this.ask().catch(() => {});
    if (this.#stopped) return;
    const intervalMs = jittered(this.#options.intervalMs ?? 1_000, 0.1, Math.random);
    this.#timer = setTimeout(() => void this.#poll(), intervalMs);
  }
}
