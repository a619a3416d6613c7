/**
 * The SQL of the read model "inbox". Every statement takes whole batches as arrays; `schema` is the version's schema and
 * comes from `schemaOf`, never from outside.
 */

/**
 * Moves the entries of conversations whose activity has come to a later hour; must run before the conversation says so
 * itself. Nearly always there are none, and then this is one read of each conversation, whatever its size.
 *
 * Parameters, arrays: conversation id, bucket.
 */
export function raiseEntries(schema: string): string {
  return `
    UPDATE ${schema}.inbox_entries e SET activity_bucket = n.bucket
    FROM unnest($1::text[], $2::integer[]) AS n (conversation_id, bucket)
      JOIN ${schema}.inbox_conversations c ON c.conversation_id = n.conversation_id AND c.activity_bucket < n.bucket
    WHERE e.conversation_id = n.conversation_id`;
}

/** Parameters, all arrays: conversation id, open, at, bucket. */
export function upsertConversations(schema: string): string {
  return `
    INSERT INTO ${schema}.inbox_conversations AS c (conversation_id, open, last_activity_at, activity_bucket)
    SELECT conversation_id, open, at, bucket
    FROM unnest($1::text[], $2::boolean[], $3::timestamptz[], $4::integer[]) AS n (conversation_id, open, at, bucket)
    ON CONFLICT (conversation_id) DO UPDATE SET
      open = excluded.open,
      last_activity_at = greatest(c.last_activity_at, excluded.last_activity_at),
      activity_bucket = greatest(c.activity_bucket, excluded.activity_bucket)`;
}

/** Parameters, all arrays: conversation id, at, bucket. */
export function touchConversations(schema: string): string {
  return `
    UPDATE ${schema}.inbox_conversations c
    SET last_activity_at = n.at, activity_bucket = greatest(c.activity_bucket, n.bucket)
    FROM unnest($1::text[], $2::timestamptz[], $3::integer[]) AS n (conversation_id, at, bucket)
    WHERE c.conversation_id = n.conversation_id AND c.last_activity_at < n.at`;
}

/**
 * An entry of a conversation that does not exist gets no bucket and so violates NOT NULL: it stops the projection
 * instead of vanishing.
 */
const bucketFrom = (schema: string) =>
  `LEFT JOIN ${schema}.inbox_conversations c ON c.conversation_id = n.conversation_id`;

/** Parameters, all arrays: user id, conversation id, seq of joining. */
export function addMembers(schema: string): string {
  return `
    INSERT INTO ${schema}.inbox_entries
      (user_id, conversation_id, member, posted, joined_seq, own_seq, activity_bucket)
    SELECT n.user_id, n.conversation_id, true, false, n.seq, 0, c.activity_bucket
    FROM unnest($1::text[], $2::text[], $3::bigint[]) AS n (user_id, conversation_id, seq) ${bucketFrom(schema)}
    ON CONFLICT (user_id, conversation_id) DO UPDATE SET member = true, joined_seq = excluded.joined_seq`;
}

/** Parameters, all arrays: user id, conversation id, seq of the latest post. */
export function noteAuthors(schema: string): string {
  return `
    INSERT INTO ${schema}.inbox_entries AS e
      (user_id, conversation_id, member, posted, joined_seq, own_seq, activity_bucket)
    SELECT n.user_id, n.conversation_id, false, true, 0, n.seq, c.activity_bucket
    FROM unnest($1::text[], $2::text[], $3::bigint[]) AS n (user_id, conversation_id, seq) ${bucketFrom(schema)}
    ON CONFLICT (user_id, conversation_id) DO UPDATE SET posted = true, own_seq = greatest(e.own_seq, excluded.own_seq)
    WHERE NOT e.posted OR e.own_seq < excluded.own_seq`;
}

/**
 * Who has posted stays, as if never a participant: whether somebody left before or after posting must come to the same.
 * Parameters, arrays: user id, conversation id.
 */
export function removeMembers(schema: string): string {
  return `
    UPDATE ${schema}.inbox_entries e SET member = false, joined_seq = 0
    FROM unnest($1::text[], $2::text[]) AS n (user_id, conversation_id)
    WHERE e.user_id = n.user_id AND e.conversation_id = n.conversation_id AND e.member`;
}

/** Parameters, arrays: user id, conversation id. */
export function forgetSilent(schema: string): string {
  return `
    DELETE FROM ${schema}.inbox_entries e
    USING unnest($1::text[], $2::text[]) AS n (user_id, conversation_id)
    WHERE e.user_id = n.user_id AND e.conversation_id = n.conversation_id AND NOT e.member AND NOT e.posted`;
}

/** One row for each conversation, with a hash over it and its entries. */
export function digestInbox(schema: string): string {
  return `
    SELECT c.conversation_id AS key, md5(concat_ws('.', c::text, e.rows)) AS hash
    FROM ${schema}.inbox_conversations c
    LEFT JOIN (SELECT conversation_id, sum(hashtextextended(e::text, 0)) AS rows
               FROM ${schema}.inbox_entries e GROUP BY conversation_id) e ON e.conversation_id = c.conversation_id`;
}
