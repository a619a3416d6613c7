import type { ClientBase, Pool } from 'pg';
import type { KnownLog } from '../../../src/platform/log/logContinuity.ts';
import type { Checkpoint } from '../store.ts';
import { LINEAGE_COLUMNS, LINEAGE_JOIN } from './logLineage.ts';

interface CheckpointRow {
  readonly partition_group: number;
  readonly seq: string;
  readonly stored_at: Date | null;
  readonly fingerprint: string | null;
}

// Parameters: projection, version.
const CHECKPOINTS = `
  SELECT partition_group, seq, stored_at, fingerprint FROM projection_checkpoints
  WHERE projection = $1 AND version = $2 ORDER BY partition_group`;

/** The checkpoint of each partition group of one version. */
export async function readCheckpoints(
  client: ClientBase | Pool,
  projection: string,
  version: number,
  lock: '' | 'FOR UPDATE' = '',
): Promise<Map<number, Checkpoint>> {
  const { rows } = await client.query<CheckpointRow>(`${CHECKPOINTS} ${lock}`, [projection, version]);
  return new Map(rows.map((row) => [row.partition_group, toCheckpoint(row)]));
}

/** A partition group's checkpoint of the version that is read. */
export interface LiveCheckpoint extends Checkpoint, KnownLog {
  readonly group: number;
}

// Parameters: projection.
const LIVE_CHECKPOINTS = `
  SELECT c.partition_group, c.seq, c.stored_at, c.fingerprint, ${LINEAGE_COLUMNS}
  FROM projection_versions v JOIN projection_checkpoints c USING (projection, version) ${LINEAGE_JOIN}
  WHERE v.projection = $1 AND v.status = 'live' ORDER BY c.partition_group`;

/** Up to where the live version was built, one for each partition group; empty when there is none. */
export async function readLiveCheckpoints(
  client: ClientBase | Pool,
  projection: string,
): Promise<LiveCheckpoint[]> {
  const { rows } = await client.query<CheckpointRow & KnownLog>(LIVE_CHECKPOINTS, [projection]);
  return rows.map((row) => {
    const { partition_group: group, epoch, logId, olderEpochs, firstEvents } = row;
    return { group, epoch, logId, olderEpochs, firstEvents, ...toCheckpoint(row) };
  });
}

function toCheckpoint({ seq, stored_at: storedAt, fingerprint }: CheckpointRow): Checkpoint {
  return { seq: Number(seq), storedAtMs: storedAt?.getTime() ?? 0, fingerprint };
}

// Parameters: projection.
const FENCE = `
  UPDATE projection_checkpoints SET owner_epoch = owner_epoch + 1, owner = NULL, lease_until = NULL
  WHERE projection = $1`;

/**
 * Takes all groups of all versions from the workers of a projection. What a worker has not committed is refused, and the
 * worker asks for its share of the live version again.
 */
export async function fenceProjection(client: ClientBase | Pool, projection: string): Promise<void> {
  await client.query(FENCE, [projection]);
}
