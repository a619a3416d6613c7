/**
 * The SQL of the read model "history". Every statement takes whole batches as arrays; `schema` is the version's schema
 * and comes from `schemaOf`, never from outside.
 */

/** Parameters, all arrays: id, title, visibility, created by, created at, archived, participants as JSON, seq. */
export function upsertConversations(schema: string): string {
  return `
    INSERT INTO ${schema}.conversations AS c
      (id, title, visibility, created_by, created_at, archived, participant_ids, state_seq)
    SELECT id, title, visibility, created_by, created_at, archived,
           ARRAY(SELECT jsonb_array_elements_text(participants)), seq
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::boolean[], $7::jsonb[],
                $8::bigint[])
      AS n (id, title, visibility, created_by, created_at, archived, participants, seq)
    ON CONFLICT (id) DO UPDATE SET
      title = excluded.title, visibility = excluded.visibility, archived = excluded.archived,
      participant_ids = excluded.participant_ids, state_seq = excluded.state_seq
    WHERE c.state_seq < excluded.state_seq`;
}

/** What a message that is there already violates. */
export const MESSAGES_KEY = 'messages_pkey';

/**
 * Inserts messages and numbers them within their conversation, on from the latest one there. One that is there already
 * violates {@link MESSAGES_KEY}: a check in every batch would cost each message one more way through that index. A
 * message of a conversation that does not exist gets no ordinal and so violates NOT NULL: it stops the projection
 * instead of vanishing.
 *
 * The latest ordinals are found first, as an array, and not by a join: without hash and merge joins (see the store)
 * the planner would find them again for every message.
 *
 * Parameters, all arrays: message id, conversation id, place of that conversation in the last parameter (from 1), which of
 * its conversation's messages here it is (1, 2, …), seq, user id, client message id, content, reply to, attachments as JSON,
 * at; and the conversations, each once.
 */
export function insertMessages(schema: string): string {
  return `
    INSERT INTO ${schema}.messages (message_id, conversation_id, seq, ordinal, user_id, client_message_id, content,
                                    reply_to, attachments, at)
    SELECT n.message_id, n.conversation_id, n.seq, n.nth + (ARRAY(
             SELECT coalesce(
               (SELECT m.ordinal FROM ${schema}.messages m WHERE m.conversation_id = t.id ORDER BY m.seq DESC LIMIT 1),
               (SELECT 0 FROM ${schema}.conversations c WHERE c.id = t.id))
             FROM unnest($12::text[]) WITH ORDINALITY AS t (id, place) ORDER BY t.place
           ))[n.place],
           n.user_id, n.client_message_id, n.content, n.reply_to, n.attachments, n.at
    FROM unnest($1::text[], $2::text[], $3::int[], $4::int[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[],
                $10::jsonb[], $11::timestamptz[])
      AS n (message_id, conversation_id, place, nth, seq, user_id, client_message_id, content, reply_to, attachments, at)`;
}

/** Which of these messages are there already, and whose they are. Parameters: message ids. */
export function selectKnownMessages(schema: string): string {
  return `
    SELECT message_id, conversation_id AS "conversationId", user_id AS "userId", client_message_id AS "clientMessageId"
    FROM ${schema}.messages WHERE message_id = ANY($1::text[])`;
}

/** Parameters, all arrays: user id, conversation id, seq of joining. */
export function addParticipants(schema: string): string {
  return `
    INSERT INTO ${schema}.participants (user_id, conversation_id, joined_seq)
    SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[])
    ON CONFLICT (user_id, conversation_id) DO UPDATE SET joined_seq = excluded.joined_seq`;
}

/** Parameters, all arrays: user id, conversation id. */
export function removeParticipants(schema: string): string {
  return `
    DELETE FROM ${schema}.participants p
    USING unnest($1::text[], $2::text[]) AS n (user_id, conversation_id)
    WHERE p.user_id = n.user_id AND p.conversation_id = n.conversation_id`;
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
    WITH deleted AS (
      UPDATE ${schema}.messages m SET content = '', attachments = NULL, deleted_at = d.at, has_reactions = false
      FROM unnest($1::text[], $2::timestamptz[]) AS d (message_id, at)
      WHERE m.message_id = d.message_id AND m.deleted_at IS NULL
    )
    DELETE FROM ${schema}.reactions WHERE message_id = ANY($1::text[])`;
}

/** Leaves of a message what its tombstone says. Parameters: message id, at. */
export function eraseMessage(schema: string): string {
  return `
    UPDATE ${schema}.messages
    SET content = '', attachments = NULL, client_message_id = '', edited_at = NULL, edited_seq = NULL, deleted_at = $2
    WHERE message_id = $1`;
}

/**
 * Makes room among the ordinals for a message that was erased before this version read it. Parameters: conversation
 * id, the message's sequence.
 */
export function makeRoom(schema: string): string {
  return `UPDATE ${schema}.messages SET ordinal = ordinal + 1 WHERE conversation_id = $1 AND seq > $2`;
}

/**
 * Puts an erased message where it was. Of a conversation that does not exist it violates NOT NULL.
 * Parameters: conversation id, the message's sequence, message id, user id, reply to, at, deleted at.
 */
export function insertErased(schema: string): string {
  return `
    INSERT INTO ${schema}.messages (message_id, conversation_id, seq, ordinal, user_id, client_message_id, content,
                                    reply_to, at, deleted_at)
    SELECT $3::text, $1::text, $2::bigint, 1 + coalesce(
             (SELECT m.ordinal FROM ${schema}.messages m WHERE m.conversation_id = $1 AND m.seq < $2
              ORDER BY m.seq DESC LIMIT 1),
             (SELECT 0 FROM ${schema}.conversations c WHERE c.id = $1)),
           $4::text, '', '', $5::text, $6::timestamptz, $7::timestamptz`;
}

/** Parameters, all arrays: message id, emoji, user id. */
export function removeReactions(schema: string): string {
  return `
    DELETE FROM ${schema}.reactions r
    USING unnest($1::text[], $2::text[], $3::text[]) AS n (message_id, emoji, user_id)
    WHERE r.message_id = n.message_id AND r.emoji = n.emoji AND r.user_id = n.user_id`;
}

/**
 * Of messages that are there and not deleted. Parameters, all arrays: message id, emoji, user id, seq (null: only
 * notes that there may have been one).
 */
export function addReactions(schema: string): string {
  return `
    WITH reacted AS (
      UPDATE ${schema}.messages m SET has_reactions = true
      WHERE m.message_id = ANY($1::text[]) AND m.deleted_at IS NULL RETURNING m.message_id
    )
    INSERT INTO ${schema}.reactions (message_id, emoji, user_id, seq)
    SELECT n.message_id, n.emoji, n.user_id, n.seq
    FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) AS n (message_id, emoji, user_id, seq)
      JOIN reacted USING (message_id)
    WHERE n.seq IS NOT NULL
    ON CONFLICT (message_id, emoji, user_id) DO NOTHING`;
}

/** One row for each conversation, with a hash over everything that is shown of it. */
export function digestHistory(schema: string): string {
  return `
    SELECT c.id AS key, md5(concat_ws('.', c::text, m.rows, p.rows, r.rows)) AS hash
    FROM ${schema}.conversations c
    LEFT JOIN (SELECT conversation_id, sum(hashtextextended(m::text, 0)) AS rows
               FROM ${schema}.messages m GROUP BY conversation_id) m ON m.conversation_id = c.id
    LEFT JOIN (SELECT conversation_id, sum(hashtextextended(p::text, 0)) AS rows
               FROM ${schema}.participants p GROUP BY conversation_id) p ON p.conversation_id = c.id
    LEFT JOIN (SELECT m.conversation_id, sum(hashtextextended(r::text, 0)) AS rows
               FROM ${schema}.reactions r JOIN ${schema}.messages m USING (message_id)
               GROUP BY m.conversation_id) r ON r.conversation_id = c.id`;
}

/**
 * Takes a copy back to where the log may be replayed from `$1` on. What later events set for good (states, edits,
 * deletions) may stay: they come again and set the same.
 */
export function rewindHistory(schema: string): readonly string[] {
  return [
    `DELETE FROM ${schema}.reactions r USING ${schema}.messages m WHERE m.message_id = r.message_id AND m.seq >= $1`,
    `DELETE FROM ${schema}.reactions WHERE seq >= $1`,
    `DELETE FROM ${schema}.messages WHERE seq >= $1`,
    `DELETE FROM ${schema}.participants WHERE joined_seq >= $1`,
    `UPDATE ${schema}.conversations SET state_seq = 0 WHERE state_seq >= $1`,
  ];
}
