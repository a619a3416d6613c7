import type { Pool } from 'pg';

/** Parameters: projection, whether it rests. */
const CONTROL = `
  INSERT INTO projection_controls AS c (projection, paused, resumes) VALUES ($1, $2, CASE WHEN $2 THEN 0 ELSE 1 END)
  ON CONFLICT (projection) DO UPDATE
  SET paused = excluded.paused, resumes = c.resumes + excluded.resumes, changed_at = now()`;

/** The workers of a projection stop within two seconds; what they have begun is committed first. */
export async function pauseProjection(pool: Pool, projection: string): Promise<void> {
  await pool.query(CONTROL, [projection, true]);
}

/** Paused workers go on, and halted ones try again, within two seconds. */
export async function resumeProjection(pool: Pool, projection: string): Promise<void> {
  await pool.query(CONTROL, [projection, false]);
}

// Parameters: projection.
const FENCE = `
  UPDATE projection_checkpoints SET owner_epoch = owner_epoch + 1, owner = NULL, lease_until = NULL
  WHERE projection = $1`;

/** Takes all groups from the workers of a projection: what they have not committed is refused, and they look anew. */
export async function fenceProjection(pool: Pool, projection: string): Promise<void> {
  await pool.query(FENCE, [projection]);
}
