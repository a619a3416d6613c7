import { setTimeout as delay } from 'node:timers/promises';
import {
  compareLog,
  type KnownLog,
  knownFrom,
  type LogContinuity,
  renewalFor,
} from '../../platform/log/logContinuity.ts';
import { systemTimers } from '../../platform/time/timers.ts';
import type { EventLog, LogStatus } from '../../ports/eventLog.ts';

/** Between two attempts to ask a log that does not answer yet, in milliseconds. */
const RETRY_MS = 250;

/**
 * The latest event that this process knows to be in the log, because it was acknowledged or read: what the log must still
 * hold after it was away. Costs an event one comparison and two assignments.
 */
export class LogWitness {
  #log: KnownLog;
  #seq = 0;
  #bytes: Uint8Array | null = null;
  /** The highest sequence of which only the headers were read. */
  #headersSeq = 0;

  constructor(status: LogStatus) {
    this.#log = knownFrom(status);
  }

  /** The highest sequence that is known to be in the log. */
  get seq(): number {
    return Math.max(this.#seq, this.#headersSeq);
  }

  saw(seq: number, bytes: Uint8Array): void {
    if (seq <= this.#seq) return;
    this.#seq = seq;
    this.#bytes = bytes;
  }

  /** The event is in the log, but its bytes were not read: nothing to compare with. */
  sawHeaders(seq: number): void {
    if (seq > this.#headersSeq) this.#headersSeq = seq;
  }

  /** The log is another one now, or has another epoch: what was seen before is no position of it. */
  begin(status: LogStatus): void {
    this.#log = knownFrom(status);
    this.#seq = 0;
    this.#bytes = null;
    this.#headersSeq = 0;
  }

  /**
   * Compares the log with what was seen, and gives it a new epoch when it lost some of that. Asks until the log answers: while
   * it is away nothing is appended.
   *
   * @param isWanted false ends the asking: the connection broke again, or is closed
   * @returns what became of the log; null when it was not wanted to the end
   */
  async confirm(log: EventLog, isWanted: () => boolean): Promise<LogContinuity | null> {
    while (isWanted()) {
      try {
        return await this.#compare(log);
      } catch {
        await delay(RETRY_MS, undefined, { ref: false });
      }
    }
    return null;
  }

  async #compare(log: EventLog): Promise<LogContinuity> {
    const known = this.#log;
    const bytes = this.#bytes;
    const matches = bytes === null ? null : (found: Uint8Array) => Buffer.compare(found, bytes) === 0;
    const compared = await compareLog(log, { log: known, seq: this.#seq, matches }, systemTimers);
    const renewal = renewalFor(known, compared);
    if (renewal !== null) await log.renewEpoch(renewal);
    return compared.continuity;
  }
}
