/** The SQL of `audit.ts`. There is one read model that is audited: `history`. */

/** Parameters: owner, lease in milliseconds. No row: somebody else audits. */
export const CLAIM = `
  INSERT INTO audit_progress AS a (read_model, owner, lease_until)
  VALUES ('history', $1, now() + $2::float8 * interval '1 ms')
  ON CONFLICT (read_model) DO UPDATE SET owner = excluded.owner, lease_until = excluded.lease_until
  WHERE a.owner IS NULL OR a.owner = excluded.owner OR a.lease_until < now()
  RETURNING cursor_seq`;

/** Parameters: how many at most, the ones found first. */
export const FINDINGS = `
  SELECT conversation_id FROM audit_findings WHERE read_model = 'history' ORDER BY found_at LIMIT $1`;

/** Parameters: owner, sequence, compared, skipped, whether the pass is done. No row: another owner has it now. */
export const MOVE = `
  UPDATE audit_progress SET
    cursor_seq = CASE WHEN $5 THEN 0 ELSE $2::bigint END,
    compared = CASE WHEN $5 THEN 0 ELSE compared + $3 END,
    skipped = CASE WHEN $5 THEN 0 ELSE skipped + $4 END,
    last_pass_at = CASE WHEN $5 THEN now() ELSE last_pass_at END
  WHERE read_model = 'history' AND owner = $1`;

/** Parameters: conversations that were compared and are equal. */
export const CLEAR = `DELETE FROM audit_findings WHERE read_model = 'history' AND conversation_id = ANY($1::text[])`;

/** Parameters, arrays: conversations, messages in the log, messages in the read model. */
export const NOTE = `
  INSERT INTO audit_findings AS f (read_model, conversation_id, in_log, in_read_model)
  SELECT 'history', n.id, n.in_log, n.in_model
  FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS n (id, in_log, in_model)
  ON CONFLICT (read_model, conversation_id) DO UPDATE
  SET in_log = excluded.in_log, in_read_model = excluded.in_read_model`;

/** Parameters: owner. */
export const RELEASE = `UPDATE audit_progress SET owner = NULL WHERE read_model = 'history' AND owner = $1`;
