/** The SQL of `postgresStore.ts`. How long a worker that says nothing keeps its groups is `$lease`, in milliseconds. */

/** Parameters: what is rebalanced, by name. Serialises the workers that do; held until the transaction ends. */
export const LOCK_REBALANCE = `SELECT pg_advisory_xact_lock(720115400, hashtext($1))`;

/** Parameters: projection, worker, version or null, state, reason, lease. */
export const REPORT = `
  INSERT INTO projection_workers AS w (projection, worker, version, state, reason, seen_until)
  VALUES ($1, $2, $3, $4, $5, now() + $6::float8 * interval '1 ms')
  ON CONFLICT (projection, worker) DO UPDATE
  SET version = excluded.version, state = excluded.state, reason = excluded.reason, seen_until = excluded.seen_until`;

/** Parameters: projection. Workers that died long ago are not even shown any more. */
export const FORGET_WORKERS = `
  DELETE FROM projection_workers WHERE projection = $1 AND seen_until < now() - interval '1 minute'`;

/** Parameters: projection, version or null. Those who can take groups of it. */
export const ALIVE_WORKERS = `
  SELECT worker FROM projection_workers
  WHERE projection = $1 AND version IS NOT DISTINCT FROM $2 AND seen_until > now() AND state NOT IN ('halted', 'paused')`;

/** Parameters: projection. */
export const CONTROLS = 'SELECT paused, resumes FROM projection_controls WHERE projection = $1';

/** Parameters: projection, version. */
export const LEASES = `
  SELECT partition_group, owner, coalesce(lease_until > now(), false) AS leased FROM projection_checkpoints
  WHERE projection = $1 AND version = $2 ORDER BY partition_group`;

/** Parameters: projection, version, groups, worker, lease. The owner before cannot write any more. */
export const CLAIM = `
  UPDATE projection_checkpoints
  SET owner = $4, owner_epoch = owner_epoch + 1, lease_until = now() + $5::float8 * interval '1 ms'
  WHERE projection = $1 AND version = $2 AND partition_group = ANY($3::int[])
    AND (owner IS NULL OR lease_until IS NULL OR lease_until < now())`;

/** Parameters: projection, version, groups, worker. A transaction of ours that is in flight is refused. */
export const RELEASE = `
  UPDATE projection_checkpoints SET owner = NULL, owner_epoch = owner_epoch + 1, lease_until = NULL
  WHERE projection = $1 AND version = $2 AND partition_group = ANY($3::int[]) AND owner = $4`;

/** Parameters: projection, worker. */
export const RELEASE_ALL = `
  UPDATE projection_checkpoints SET owner = NULL, owner_epoch = owner_epoch + 1, lease_until = NULL
  WHERE projection = $1 AND owner = $2`;

/** Parameters: projection, worker. */
export const LEAVE = 'DELETE FROM projection_workers WHERE projection = $1 AND worker = $2';

/** Parameters: projection, version, worker, lease. */
export const RENEW = `
  UPDATE projection_checkpoints SET lease_until = now() + $4::float8 * interval '1 ms'
  WHERE projection = $1 AND version = $2 AND owner = $3
  RETURNING partition_group, owner_epoch, seq, fingerprint`;

/** Parameters: projection, version, groups. */
export const PARKED = `
  SELECT partition_group, conversation_id, seq, error, attempts, retry_requested_at IS NOT NULL AS retry_requested
  FROM parked_conversations WHERE projection = $1 AND version = $2 AND partition_group = ANY($3::int[])
  ORDER BY retry_requested_at, conversation_id`;

/** Parameters: projection, version, group, owner epoch, expected sequence, new sequence, stored at, fingerprint. */
export const ADVANCE = `
  UPDATE projection_checkpoints SET seq = $6, stored_at = $7, fingerprint = $8, updated_at = now()
  WHERE projection = $1 AND version = $2 AND partition_group = $3 AND owner_epoch = $4 AND seq = $5`;

/** Parameters: projection, version, group, owner epoch, expected sequence. Holds the claim until the transaction ends. */
export const HOLD = `
  SELECT 1 FROM projection_checkpoints
  WHERE projection = $1 AND version = $2 AND partition_group = $3 AND owner_epoch = $4 AND seq = $5 FOR UPDATE`;

/** Parameters: projection, version, group; arrays: conversations, sequences, errors, attempts, retry requested. */
export const PARK = `
  INSERT INTO parked_conversations AS p
    (projection, version, partition_group, conversation_id, seq, error, attempts, retry_requested_at)
  SELECT $1, $2, $3, n.id, n.seq, n.error, n.attempts, CASE WHEN n.retry THEN now() END
  FROM unnest($4::text[], $5::bigint[], $6::text[], $7::int[], $8::boolean[]) AS n (id, seq, error, attempts, retry)
  ON CONFLICT (projection, version, conversation_id) DO UPDATE
  SET seq = excluded.seq, error = excluded.error, attempts = excluded.attempts,
      retry_requested_at = CASE WHEN excluded.retry_requested_at IS NOT NULL THEN p.retry_requested_at END`;

/** Parameters: projection, version, conversations. */
export const UNPARK = `
  DELETE FROM parked_conversations WHERE projection = $1 AND version = $2 AND conversation_id = ANY($3::text[])`;
