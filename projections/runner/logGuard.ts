import { fingerprint } from '../../src/platform/log/fingerprint.ts';
import { compareLog } from '../../src/platform/log/logContinuity.ts';
import type { EventLog } from '../../src/ports/eventLog.ts';
import type { Timers } from '../../src/ports/timers.ts';
import { type Claim, HaltError } from './store.ts';

/** The read model and the log do not belong together. */
export class LogMismatchError extends HaltError {}

/** The log lost events that the read model was built from. */
export class LogRegressedError extends LogMismatchError {
  /** Of the log that the read model was built from. */
  readonly epoch: string;

  constructor(projection: string, epoch: string, reason: string) {
    const remedy = 'See what can be brought back: chat-backend log repair --dry-run';
    super(`Read model ${projection} ${reason}. ${remedy}`);
    this.epoch = epoch;
  }
}

/** A sequence that a read model was built up to, and the fingerprint of the event there. */
export type KnownCheckpoint = Pick<Claim, 'version' | 'seq' | 'fingerprint'>;

/**
 * Makes sure that the log still is the one that a read model was built from.
 *
 * @throws LogMismatchError, LogRegressedError; and whatever the log throws when it cannot be read
 */
export async function assertSameLog(
  projection: string,
  checkpoints: readonly KnownCheckpoint[],
  log: Pick<EventLog, 'at' | 'status'>,
  timers: Timers,
): Promise<void> {
  for (const { version, seq, fingerprint: expected } of checkpoints) {
    const { epoch } = version;
    const matches = expected === null ? null : (bytes: Uint8Array) => fingerprint(bytes) === expected;
    const { continuity, status } = await compareLog(log, { epoch, seq, matches }, timers);
    const regressed = (reason: string) => new LogRegressedError(projection, epoch, reason);
    switch (continuity) {
      case 'same':
        break;
      case 'shorter':
        throw regressed(`has events up to ${seq}, but the log ends at ${status.lastSeq}: its tail was lost`);
      case 'rewritten':
        throw regressed(
          `was built from another event ${seq} than the log holds now: its tail was lost, and written again`,
        );
      case 'regressed':
        throw regressed(
          `was built from the log of epoch ${epoch}, which lost its tail and is ${status.epoch} since`,
        );
      case 'other': {
        const reason = `was built from the log of epoch ${epoch}, but the log's epoch is ${status.epoch}`;
        const remedy = `Restore the right log, or build it anew: chat-backend projections rebuild ${projection}`;
        throw new LogMismatchError(`Read model ${projection} ${reason}. ${remedy}`);
      }
    }
  }
}
