/**
 * The SQL of the read model "history". Every statement takes whole batches as arrays; `schema` is the version's schema
 * and comes from `schemaOf`, never from outside.
 */

/** Parameters, all arrays: id, title, visibility, created by, created at, archived, participants as JSON, seq, at. */
export function upsertConversations(schema: string): string {
  return `
    INSERT INTO ${schema}.conversations AS c
      (id, title, visibility, created_by, created_at, archived, participant_ids, state_seq, last_activity_at)
    SELECT id, title, visibility, created_by, created_at, archived,
           ARRAY(SELECT jsonb_array_elements_text(participants)), seq, at
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::boolean[], $7::jsonb[],
                $8::bigint[], $9::timestamptz[])
      AS n (id, title, visibility, created_by, created_at, archived, participants, seq, at)
    ON CONFLICT (id) DO UPDATE SET
      title = excluded.title, visibility = excluded.visibility, archived = excluded.archived,
      participant_ids = excluded.participant_ids, state_seq = excluded.state_seq,
      last_activity_at = GREATEST(c.last_activity_at, excluded.last_activity_at)
    WHERE c.state_seq < excluded.state_seq`;
}

/**
 * Inserts messages, numbers them within their conversation, counts them, and notes who posted. Answers with the number
 * of rows inserted: when it is smaller than the batch, some were there before, the numbering has holes, and the caller
 * takes it back and leaves those out. A message of a conversation that does not exist gets no ordinal and so violates
 * NOT NULL: it stops the projection instead of vanishing.
 *
 * Parameters, all arrays: message id, conversation id, seq, user id, client message id, content, reply to,
 * attachments as JSON, at.
 */
export function insertMessages(schema: string): string {
  return `
    WITH inserted AS (
      INSERT INTO ${schema}.messages (message_id, conversation_id, seq, ordinal, user_id, client_message_id, content,
                                      reply_to, attachments, at)
      SELECT n.message_id, n.conversation_id, n.seq,
             c.message_count + row_number() OVER (PARTITION BY n.conversation_id ORDER BY n.seq),
             n.user_id, n.client_message_id, n.content, n.reply_to, n.attachments, n.at
      FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[],
                  $8::jsonb[], $9::timestamptz[])
        AS n (message_id, conversation_id, seq, user_id, client_message_id, content, reply_to, attachments, at)
        LEFT JOIN ${schema}.conversations c ON c.id = n.conversation_id
      ON CONFLICT (message_id) DO NOTHING
      RETURNING conversation_id, seq, user_id, at
    ), counted AS (
      UPDATE ${schema}.conversations c
      SET message_count = c.message_count + t.count, last_message_seq = t.seq,
          last_activity_at = GREATEST(c.last_activity_at, t.at)
      FROM (SELECT conversation_id, count(*) AS count, max(seq) AS seq, max(at) AS at
            FROM inserted GROUP BY conversation_id) t
      WHERE c.id = t.conversation_id
    ), heard AS (
      INSERT INTO ${schema}.participants (user_id, conversation_id, member, posted, joined_ordinal)
      SELECT DISTINCT user_id, conversation_id, false, true, 0 FROM inserted
      ON CONFLICT (user_id, conversation_id) DO UPDATE SET posted = true WHERE NOT participants.posted
    )
    SELECT count(*)::int AS inserted FROM inserted`;
}

/** Which of these messages are there already. Parameters: message ids. */
export function selectKnownMessages(schema: string): string {
  return `SELECT message_id FROM ${schema}.messages WHERE message_id = ANY($1::text[])`;
}

/** A newcomer has read what was there before. Parameters, all arrays: user id, conversation id, seq of joining. */
export function addParticipants(schema: string): string {
  return `
    INSERT INTO ${schema}.participants AS p (user_id, conversation_id, member, posted, joined_ordinal)
    SELECT n.user_id, n.conversation_id, true, false,
           coalesce((SELECT m.ordinal FROM ${schema}.messages m
                     WHERE m.conversation_id = n.conversation_id AND m.seq < n.seq ORDER BY m.seq DESC LIMIT 1), 0)
    FROM unnest($1::text[], $2::text[], $3::bigint[]) AS n (user_id, conversation_id, seq)
    ON CONFLICT (user_id, conversation_id) DO UPDATE
    SET member = true, joined_ordinal = GREATEST(p.joined_ordinal, excluded.joined_ordinal)`;
}

/**
 * Who has posted stays in the list of those who did, as if never a participant: whether somebody left before or after
 * posting must come to the same. Parameters, all arrays: user id, conversation id.
 */
export function removeParticipants(schema: string): string {
  return `
    UPDATE ${schema}.participants p SET member = false, joined_ordinal = 0
    FROM unnest($1::text[], $2::text[]) AS n (user_id, conversation_id)
    WHERE p.user_id = n.user_id AND p.conversation_id = n.conversation_id`;
}

/** Parameters, all arrays: user id, conversation id. */
export function forgetSilentParticipants(schema: string): string {
  return `
    DELETE FROM ${schema}.participants p
    USING unnest($1::text[], $2::text[]) AS n (user_id, conversation_id)
    WHERE p.user_id = n.user_id AND p.conversation_id = n.conversation_id AND NOT p.member AND NOT p.posted`;
}

/** Parameters, all arrays: message id, content, at, seq. */
export function editMessages(schema: string): string {
  return `
    UPDATE ${schema}.messages m SET content = e.content, edited_at = e.at, edited_seq = e.seq
    FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::bigint[]) AS e (message_id, content, at, seq)
    WHERE m.message_id = e.message_id AND m.deleted_at IS NULL AND coalesce(m.edited_seq, 0) < e.seq`;
}

/** Parameters, all arrays: message id, at. */
export function deleteMessages(schema: string): string {
  return `
    UPDATE ${schema}.messages m SET content = '', attachments = NULL, deleted_at = d.at
    FROM unnest($1::text[], $2::timestamptz[]) AS d (message_id, at)
    WHERE m.message_id = d.message_id AND m.deleted_at IS NULL`;
}

/** One row for each conversation, with a hash over its state, its messages and its participants. */
export function digestHistory(schema: string): string {
  return `
    SELECT c.id AS key, md5(concat_ws('.', c::text, m.rows, p.rows)) AS hash
    FROM ${schema}.conversations c
    LEFT JOIN (SELECT conversation_id, sum(hashtextextended(m::text, 0)) AS rows
               FROM ${schema}.messages m GROUP BY conversation_id) m ON m.conversation_id = c.id
    LEFT JOIN (SELECT conversation_id, sum(hashtextextended(p::text, 0)) AS rows
               FROM ${schema}.participants p GROUP BY conversation_id) p ON p.conversation_id = c.id`;
}
