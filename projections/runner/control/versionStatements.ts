import { LINEAGE_COLUMNS, LINEAGE_JOIN } from './logLineage.ts';

/** The SQL of `versions.ts`. */

/** Serialises everybody who makes, switches or drops versions; held until the transaction ends. The number is any fixed one. */
export const LOCK_VERSIONS = 'SELECT pg_advisory_xact_lock(7201154003)';

/** Parameters: projection. */
export const LIST = `
  SELECT v.version, v.status, v.format, ${LINEAGE_COLUMNS}
  FROM projection_versions v ${LINEAGE_JOIN} WHERE v.projection = $1 ORDER BY v.version`;

/** Parameters: projection, version, epoch. A version that has read nothing can be of any log. */
export const ADOPT_LOG = `
  UPDATE projection_versions v SET epoch = $3
  WHERE v.projection = $1 AND v.version = $2 AND NOT EXISTS (
    SELECT FROM projection_checkpoints c WHERE c.projection = v.projection AND c.version = v.version AND c.seq > 0)`;

/** Parameters: projection, version, status, epoch, format. */
export const INSERT_VERSION =
  'INSERT INTO projection_versions (projection, version, status, epoch, format) VALUES ($1, $2, $3, $4, $5)';

/** Parameters: projection, version, number of groups. */
export const INSERT_CHECKPOINTS = `
  INSERT INTO projection_checkpoints (projection, version, partition_group, seq)
  SELECT $1, $2, partition_group, 0 FROM generate_series(0, $3 - 1) AS partition_group`;

/** Parameters: projection, version. */
export const DELETE_VERSION = 'DELETE FROM projection_versions WHERE projection = $1 AND version = $2';

/** Parameters: projection, version. */
export const SET_LIVE = `UPDATE projection_versions SET status = 'live' WHERE projection = $1 AND version = $2`;

/** Parameters: projection, version. */
export const RETIRE = `
  UPDATE projection_versions SET status = 'retired', retired_at = now() WHERE projection = $1 AND version = $2`;

/** Parameters: projection, age of a replaced version, age of an abandoned rebuild, both in milliseconds. */
export const LEFT_OVER = `
  SELECT v.version FROM projection_versions v
  WHERE v.projection = $1 AND CASE v.status
    WHEN 'retired' THEN v.retired_at < now() - $2::float8 * interval '1 ms'
    WHEN 'building' THEN v.created_at < now() - $3::float8 * interval '1 ms' AND NOT EXISTS (
      SELECT FROM projection_checkpoints c WHERE c.projection = v.projection AND c.version = v.version
        AND greatest(c.updated_at, c.lease_until) > now() - $3::float8 * interval '1 ms')
    ELSE false END`;

/** Parameters: projection, version, sequence. The next event to be projected is the one after it. */
export const SET_CHECKPOINTS =
  'UPDATE projection_checkpoints SET seq = $3 WHERE projection = $1 AND version = $2';
