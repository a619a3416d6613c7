import type { Pool } from 'pg';
import type { EventLog } from '../../src/ports/eventLog.ts';
import type { Timers } from '../../src/ports/timers.ts';
import { askWitness, WITNESS } from './control/witness.ts';

/** The new version could not be built or switched to; the live one is as it was. */
export class RebuildFailedError extends Error {
  override readonly name = 'RebuildFailedError';
}

/** What decides whether a rebuild may begin. */
export interface GuardedRebuild {
  readonly projection: { readonly name: string };
  readonly pool: Pool;
  readonly log: Pick<EventLog, 'at' | 'status'>;
  readonly timers: Timers;
  /** A version that is not switched to loses nothing. */
  readonly dryRun?: boolean | undefined;
  /** Go on although something is lost. */
  readonly acceptLoss?: boolean | undefined;
}

/** A rebuild reads the log alone, and this log holds less than the witness, or something else. */
export class RebuildLosesError extends RebuildFailedError {}

/**
 * What only the witness knows would be gone with it, or never come to the read models that are built from such a log.
 *
 * @throws RebuildLosesError
 */
export async function assertNothingLost({
  projection,
  pool,
  log,
  timers,
  dryRun,
  acceptLoss,
}: GuardedRebuild): Promise<void> {
  if (dryRun === true || acceptLoss === true) return;
  const testimony = await askWitness(pool, log, timers);
  if (testimony === null || testimony.continuity === 'same') return;
  const what =
    testimony.continuity === 'other'
      ? `This is another log than ${WITNESS} was built from`
      : `The log has lost events that only ${WITNESS} still knows`;
  const remedy =
    testimony.continuity === 'other'
      ? 'point NATS_URL at the right one, or restore it from its backup'
      : 'chat-backend log repair brings them back and rebuilds all read models';
  throw new RebuildLosesError(`${what}; ${projection.name} would be built without them: ${remedy}.`);
}
