/**
 * How far the live read model `history` certainly is. Parameters: epoch of the log. No row: there is none of that log, or a
 * worker has halted on it, so what it says of a file cannot be relied on.
 */
export const HISTORY = `
  SELECT min(c.seq)::float8 AS seq, count(*)::int AS groups,
    CASE WHEN bool_and(c.stored_at IS NOT NULL)
      THEN (extract(epoch FROM min(c.stored_at)) * 1000)::float8 END AS stored_at_ms
  FROM projection_versions v JOIN projection_checkpoints c USING (projection, version)
  WHERE v.projection = 'history' AND v.status = 'live' AND v.epoch = $1
    AND NOT EXISTS (
      SELECT FROM projection_workers w
      WHERE w.projection = 'history' AND w.version IS NULL AND w.state = 'halted' AND w.seen_until > now())
  HAVING count(*) > 0`;

/**
 * Of these uploads, those that a message refers to; and those whose conversation waits aside or differs from the log, of which
 * the history cannot say it. Parameters, arrays: uploads, and the conversation of each.
 */
export const KEPT = `
  SELECT u.id FROM unnest($1::text[], $2::text[]) AS u (id, conversation_id)
  WHERE EXISTS (
      SELECT FROM messages m
      WHERE m.conversation_id = u.conversation_id AND m.attachments IS NOT NULL
        AND m.attachments @> jsonb_build_array(jsonb_build_object('id', u.id)))
    OR EXISTS (
      SELECT FROM parked_conversations p JOIN projection_versions v USING (projection, version)
      WHERE p.projection = 'history' AND v.status = 'live' AND p.conversation_id = u.conversation_id)
    OR EXISTS (
      SELECT FROM audit_findings f
      WHERE f.read_model = 'history' AND f.conversation_id = u.conversation_id)`;
