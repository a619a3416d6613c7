/**
 * The SQL of the read model "search". Every statement takes whole batches as arrays; `schema` is the version's schema and
 * comes from `schemaOf`, never from outside.
 */

/**
 * A message that was there before, deleted or not, stays as it is.
 *
 * Parameters, all arrays: message id, conversation id, seq, user id, at, words as a `tsvector`.
 */
export function insertDocuments(schema: string): string {
  return `
    INSERT INTO ${schema}.search_documents (message_id, conversation_id, seq, user_id, at, tsv)
    SELECT message_id, conversation_id, seq, user_id, at, words::tsvector
    FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::timestamptz[], $6::text[])
      AS n (message_id, conversation_id, seq, user_id, at, words)
    ON CONFLICT (message_id) DO NOTHING`;
}

/** An edit counts when it is the latest, and comes after the message. Parameters, all arrays: message id, seq, words. */
export function editDocuments(schema: string): string {
  return `
    UPDATE ${schema}.search_documents d SET tsv = e.words::tsvector, edited_seq = e.seq
    FROM unnest($1::text[], $2::bigint[], $3::text[]) AS e (message_id, seq, words)
    WHERE d.message_id = e.message_id AND d.tsv IS NOT NULL AND greatest(d.seq, d.edited_seq) < e.seq`;
}

/** Leaves the mark of a deletion, also for messages that were never seen. Parameters, arrays: message id, conversation id. */
export function deleteDocuments(schema: string): string {
  return `
    INSERT INTO ${schema}.search_documents AS d (message_id, conversation_id)
    SELECT message_id, conversation_id FROM unnest($1::text[], $2::text[]) AS n (message_id, conversation_id)
    ON CONFLICT (message_id) DO UPDATE SET seq = NULL, user_id = NULL, at = NULL, tsv = NULL, edited_seq = NULL
    WHERE d.tsv IS NOT NULL`;
}

/** One row for each conversation, with a hash over its documents. */
export function digestSearch(schema: string): string {
  return `
    SELECT conversation_id AS key, sum(hashtextextended(d::text, 0))::text AS hash
    FROM ${schema}.search_documents d GROUP BY conversation_id`;
}
