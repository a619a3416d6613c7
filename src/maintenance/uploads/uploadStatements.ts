import { isParkedSql } from '../../../projections/runner/control/parked.ts';

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
    OR ${isParkedSql('history', 'u.conversation_id')}
    OR EXISTS (
      SELECT FROM audit_findings f
      WHERE f.read_model = 'history' AND f.conversation_id = u.conversation_id)`;
