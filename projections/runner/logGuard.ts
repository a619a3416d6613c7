import { fingerprint } from '../../src/platform/log/fingerprint.ts';
import { compareLog, type LogContinuity } from '../../src/platform/log/logContinuity.ts';
import type { EventLog, LogStatus } from '../../src/ports/eventLog.ts';
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
    if (continuity !== 'same') throw mismatch(projection, { epoch, seq, continuity, status });
  }
}

function mismatch(
  projection: string,
  found: { epoch: string; seq: number; continuity: Exclude<LogContinuity, 'same'>; status: LogStatus },
): LogMismatchError {
  const { epoch, seq, continuity, status } = found;
  const regressed = (reason: string) => new LogRegressedError(projection, epoch, reason);
  switch (continuity) {
    case 'shorter':
      return regressed(`has events up to ${seq}, but the log ends at ${status.lastSeq}: its tail was lost`);
    case 'rewritten':
      return regressed(
        `was built from another event ${seq} than the log holds now: its tail was lost, and written again`,
      );
    case 'regressed':
      return regressed(
        `was built from the log of epoch ${epoch}, which lost its tail and is ${status.epoch} since`,
      );
    case 'other': {
      const reason = `was built from the log of epoch ${epoch}, but the log's epoch is ${status.epoch}`;
      const remedy = `Restore the right log, or rebuild it: chat-backend projections rebuild ${projection}`;
      return new LogMismatchError(`Read model ${projection} ${reason}. ${remedy}`);
    }
  }
}
