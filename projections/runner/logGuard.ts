import type { EventLog, LogStatus } from '../../src/ports/eventLog.ts';
import { fingerprint } from './fingerprint.ts';
import { type Claim, HaltError } from './store.ts';

/** The read model and the log do not belong together. */
export class LogMismatchError extends HaltError {}

/**
 * Makes sure that the log still is the one that a read model was built from: same epoch, not shorter than the
 * checkpoints, and with the same bytes where they stand. An R1 log that lost its tail in a power cut goes on with the same
 * sequences and other events: only the bytes tell.
 *
 * @throws LogMismatchError; and whatever the log throws when it cannot be read
 */
export async function assertSameLog(
  projection: string,
  claims: readonly Pick<Claim, 'version' | 'seq' | 'fingerprint'>[],
  log: Pick<EventLog, 'at'>,
  status: LogStatus,
): Promise<void> {
  for (const { version, seq, fingerprint: expected } of claims) {
    if (version.epoch !== status.epoch) {
      const reason = `was built from the log of epoch ${version.epoch}, but the log's epoch is ${status.epoch}`;
      const remedy = `Restore the right log, or build it anew: chat-backend projections rebuild ${projection}`;
      throw new LogMismatchError(`Read model ${projection} ${reason}. ${remedy}`);
    }
    if (seq > status.lastSeq) {
      const reason = `has events up to ${seq}, but the log ends at ${status.lastSeq}: its tail was lost`;
      throw regression(projection, reason);
    }
    if (expected === null) continue;
    const stored = await log.at(seq);
    // Erased since: that says nothing.
    if (stored === null || fingerprint(stored.bytes) === expected) continue;
    const reason = `was built from another event ${seq} than the log holds now: its tail was lost, and written again`;
    throw regression(projection, reason);
  }
}

function regression(projection: string, reason: string): LogMismatchError {
  const remedy = 'See what can be brought back: chat-backend log repair --dry-run';
  return new LogMismatchError(`Read model ${projection} ${reason}. ${remedy}`);
}
