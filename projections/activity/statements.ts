/**
 * The SQL of the read model "activity". Every statement takes whole batches as arrays; `schema` is the version's schema
 * and comes from `schemaOf`, never from outside.
 */

/** Parameters: group; arrays: hour, messages, conversations created. */
export function addToHours(schema: string): string {
  return `
    INSERT INTO ${schema}.activity_hours AS h (hour, partition_group, messages, conversations_created)
    SELECT hour, $1, messages, created
    FROM unnest($2::timestamptz[], $3::bigint[], $4::bigint[]) AS n (hour, messages, created)
    ON CONFLICT (hour, partition_group) DO UPDATE SET
      messages = h.messages + excluded.messages,
      conversations_created = h.conversations_created + excluded.conversations_created`;
}

/** What to do with a conversation that was counted before. */
const ADD_TO_CONVERSATION = `
  ON CONFLICT (conversation_id) DO UPDATE SET
    messages = c.messages + excluded.messages,
    last_message_at = greatest(c.last_message_at, excluded.last_message_at)`;

/** Parameters, all arrays: conversation id, messages, at. */
export function addToConversations(schema: string): string {
  return `
    INSERT INTO ${schema}.activity_conversations AS c (conversation_id, messages, last_message_at)
    SELECT conversation_id, messages, at
    FROM unnest($1::text[], $2::bigint[], $3::timestamptz[]) AS n (conversation_id, messages, at)
    ${ADD_TO_CONVERSATION}`;
}

/** Parameters: group; array: seq. */
export function noteHoles(schema: string): string {
  return `
    INSERT INTO ${schema}.activity_holes (partition_group, seq) SELECT $1, seq FROM unnest($2::bigint[]) AS n (seq)
    ON CONFLICT DO NOTHING`;
}

/** Counts messages that were erased before they could be counted. Parameters: group; arrays: seq, conversation id, at, hour. */
export function countErased(schema: string): string {
  return `
    WITH unseen AS (
      DELETE FROM ${schema}.activity_holes h
      USING unnest($2::bigint[], $3::text[], $4::timestamptz[], $5::timestamptz[]) AS n (seq, conversation_id, at, hour)
      WHERE h.partition_group = $1 AND h.seq = n.seq
      RETURNING n.conversation_id, n.at, n.hour
    ), hours AS (
      INSERT INTO ${schema}.activity_hours AS h (hour, partition_group, messages, conversations_created)
      SELECT hour, $1, count(*), 0 FROM unseen GROUP BY hour
      ON CONFLICT (hour, partition_group) DO UPDATE SET messages = h.messages + excluded.messages
    )
    INSERT INTO ${schema}.activity_conversations AS c (conversation_id, messages, last_message_at)
    SELECT conversation_id, count(*), max(at) FROM unseen GROUP BY conversation_id
    ${ADD_TO_CONVERSATION}`;
}

/**
 * One row for each conversation and one for each hour. Which group counted does not show, nor do the holes: what grew
 * live has none where a rebuild has many.
 */
export function digestActivity(schema: string): string {
  return `
    SELECT conversation_id AS key, md5(c::text) AS hash FROM ${schema}.activity_conversations c
    UNION ALL
    SELECT to_char(hour AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24') AS key,
           md5(concat_ws('.', sum(messages), sum(conversations_created))) AS hash
    FROM ${schema}.activity_hours GROUP BY hour`;
}
