import type { ClientBase, Pool } from 'pg';
import { fingerprint } from '../../../src/platform/log/fingerprint.ts';
import { compareLog, type KnownLog, type LogComparison } from '../../../src/platform/log/logContinuity.ts';
import type { EventLog } from '../../../src/ports/eventLog.ts';
import type { Timers } from '../../../src/ports/timers.ts';
import type { Checkpoint } from '../store.ts';
import { type LiveCheckpoint, readLiveCheckpoints } from './checkpoints.ts';

/** The read model that holds everything that the log says: it alone can bring back what the log lost. */
export const WITNESS = 'history';

/** What the witness knows of the log, and what became of that log since. */
export interface Testimony extends LogComparison {
  /** The log that the witness was built from. */
  readonly known: KnownLog;
  /** Up to where it was built, by partition group. */
  readonly checkpoints: readonly LiveCheckpoint[];
}

/**
 * Asks the witness whether the log still is what it was built from. The group that is furthest comes first: of a group
 * without events nothing can be said.
 *
 * @returns null when there is no witness yet, or it has seen nothing
 * @throws whatever the log throws when it cannot be read
 */
export async function askWitness(
  client: ClientBase | Pool,
  log: Pick<EventLog, 'at' | 'status'>,
  timers: Timers,
): Promise<Testimony | null> {
  const checkpoints = await readLiveCheckpoints(client, WITNESS);
  // It has read nothing: it can be of any log.
  if (checkpoints.every(({ seq }) => seq === 0)) return null;
  const furthestFirst = checkpoints.toSorted((one, other) => other.seq - one.seq);
  let latest: Testimony | null = null;
  for (const checkpoint of furthestFirst) {
    const comparison = await compareCheckpoint(checkpoint, checkpoint, log, timers);
    latest = { ...comparison, known: checkpoint, checkpoints };
    if (comparison.continuity !== 'same') break;
  }
  return latest;
}

/** What became of the log since a read model was built up to a checkpoint. @throws whatever the log throws */
export function compareCheckpoint(
  known: KnownLog,
  { seq, fingerprint: expected }: Pick<Checkpoint, 'seq' | 'fingerprint'>,
  log: Pick<EventLog, 'at' | 'status'>,
  timers: Timers,
): Promise<LogComparison> {
  const matches = expected === null ? null : (bytes: Uint8Array) => fingerprint(bytes) === expected;
  return compareLog(log, { log: known, seq, matches }, timers);
}
