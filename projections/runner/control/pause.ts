import type { ClientBase, Pool } from 'pg';

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

// Parameters: projection. Leaves a pause as it is.
const WAKE_HALTED = `
  INSERT INTO projection_controls AS c (projection, paused, resumes) VALUES ($1, false, 1)
  ON CONFLICT (projection) DO UPDATE SET resumes = c.resumes + 1`;

/** Halted workers try again, within two seconds; paused ones stay paused. */
export async function wakeHalted(client: ClientBase | Pool, projection: string): Promise<void> {
  await client.query(WAKE_HALTED, [projection]);
}
