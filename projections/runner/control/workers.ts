import type { ClientBase, Pool } from 'pg';

// Parameters: projection. A worker of the live version names none.
const HALTED = `
  SELECT EXISTS (
    SELECT FROM projection_workers
    WHERE projection = $1 AND version IS NULL AND state = 'halted' AND seen_until > now()) AS halted`;

/** Whether a worker of the live version has halted: then what the read model says cannot be relied on. */
export async function hasHaltedWorker(client: ClientBase | Pool, projection: string): Promise<boolean> {
  const { rows } = await client.query<{ halted: boolean }>(HALTED, [projection]);
  return rows[0]?.halted === true;
}
