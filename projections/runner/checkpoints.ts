import type { ClientBase } from 'pg';

/** Partitions belong to groups, each with a checkpoint of its own. One worker owns all of them for now. */
export const PARTITION_GROUPS = 4;

/** A worker's right to move a version's checkpoint, until somebody else claims it. */
export interface Claim {
  readonly projection: string;
  readonly version: number;
  readonly ownerEpoch: number;
  /** Everything up to here is in the read model. */
  readonly seq: number;
}

/** Somebody else has claimed the checkpoint, or it stands elsewhere than this worker believes. */
export class FencedError extends Error {
  override readonly name = 'FencedError';
}

// Parameters: projection, version.
const CLAIM = `
  UPDATE projection_checkpoints SET owner_epoch = owner_epoch + 1, updated_at = now()
  WHERE projection = $1 AND version = $2
  RETURNING owner_epoch, seq`;

/** Takes the checkpoint over from whoever had it: their next commit is refused. */
export async function claimCheckpoint(
  client: ClientBase,
  projection: string,
  version: number,
): Promise<Claim> {
  const { rows } = await client.query<{ owner_epoch: string; seq: string }>(CLAIM, [projection, version]);
  const [first] = rows;
  if (first === undefined || rows.length !== PARTITION_GROUPS) {
    throw new FencedError(`Version ${version} of ${projection} has no checkpoint: it was dropped meanwhile.`);
  }
  const seq = Math.min(...rows.map((row) => Number(row.seq)));
  return { projection, version, ownerEpoch: Number(first.owner_epoch), seq };
}

// Parameters: projection, version, owner epoch, expected sequence, new sequence, when the log stored it.
const ADVANCE = `
  UPDATE projection_checkpoints SET seq = $5, stored_at = $6, updated_at = now()
  WHERE projection = $1 AND version = $2 AND owner_epoch = $3 AND seq = $4`;

/**
 * Moves the checkpoint by compare-and-set, inside the transaction that writes the rows: a worker that was frozen and
 * replaced cannot write, whatever it believes.
 *
 * @throws FencedError when the checkpoint is not this claim's any more
 */
export async function advanceCheckpoint(
  client: ClientBase,
  claim: Claim,
  to: { seq: number; storedAtMs: number },
): Promise<Claim> {
  const { projection, version, ownerEpoch, seq } = claim;
  const storedAt = new Date(to.storedAtMs);
  const result = await client.query(ADVANCE, [projection, version, ownerEpoch, seq, to.seq, storedAt]);
  if (result.rowCount !== PARTITION_GROUPS) {
    throw new FencedError(`The checkpoint of ${projection} version ${version} at ${seq} was taken over.`);
  }
  return { ...claim, seq: to.seq };
}
