import { type LogComparison, renewalFor } from '../../src/platform/log/logContinuity.ts';
import type { EpochRenewal, EventLog } from '../../src/ports/eventLog.ts';
import type { Timers } from '../../src/ports/timers.ts';
import { compareCheckpoint } from './control/witness.ts';
import { type Claim, HaltError } from './store.ts';

/** The read model and the log do not belong together. */
export class LogMismatchError extends HaltError {}

/** The log lost events that the read model was built from. */
export class LogRegressedError extends LogMismatchError {
  /** The new epoch that the log needs; `null` when it has one already. */
  readonly renewal: EpochRenewal | null;

  constructor(projection: string, reason: string, renewal: EpochRenewal | null) {
    const remedy = 'See what can be brought back: chat-backend log repair --dry-run';
    super(`Read model ${projection} ${reason}. ${remedy}`);
    this.renewal = renewal;
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
  // The furthest first: a group without events knows nothing of the log.
  for (const checkpoint of checkpoints.toSorted((one, other) => other.seq - one.seq)) {
    const compared = await compareCheckpoint(checkpoint.version, checkpoint, log, timers);
    const mismatch = mismatchOf(projection, checkpoint, compared);
    if (mismatch !== null) throw mismatch;
  }
}

function mismatchOf(
  projection: string,
  { version, seq }: KnownCheckpoint,
  compared: LogComparison,
): LogMismatchError | null {
  const { status } = compared;
  const { epoch } = version;
  const regressed = (reason: string) =>
    new LogRegressedError(projection, reason, renewalFor(version, compared));
  switch (compared.continuity) {
    case 'same':
      return null;
    case 'shorter':
      return regressed(`has events up to ${seq}, but the log ends at ${status.lastSeq}: its tail was lost`);
    case 'rewritten':
      return regressed(
        `was built from another event ${seq} than the log holds now: its tail was lost, and written again`,
      );
    case 'fellBack':
      return regressed(
        `was built from the log of epoch ${epoch}, which is back at ${status.epoch}: it lost its tail and its description`,
      );
    case 'emptied':
      return regressed(`has events up to ${seq}, but the log holds none: it was made again`);
    case 'regressed':
      return regressed(
        `was built from the log of epoch ${epoch}, which lost its tail and is ${status.epoch} since`,
      );
    case 'other': {
      const reason = `was built from the log of epoch ${epoch}, but this is another log, of epoch ${status.epoch}`;
      const remedy = 'Point NATS_URL at the server with the right log, or restore that log from its backup';
      return new LogMismatchError(`Read model ${projection} ${reason}. ${remedy}`);
    }
  }
}
