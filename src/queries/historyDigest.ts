import type { ClientBase } from 'pg';

/** What a conversation amounts to: equal in log and read model when and only when they agree. */
export interface ConversationDigest {
  readonly messages: number;
  readonly hash: string;
}

export interface HistoryDigest {
  readonly version: number;
  readonly epoch: string;
  /** Everything up to here is in the read model. */
  readonly checkpoint: number;
  readonly conversations: ReadonlyMap<string, ConversationDigest>;
}

// The first 52 bits of the MD5 of the fields, as `logDigest.ts` computes it.
const hash = (fields: string) => `('x' || left(md5(concat_ws(E'\\x1f', ${fields})), 13))::bit(52)::bigint`;
const time = (column: string) =>
  `coalesce(to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), '')`;
const flag = (column: string) => `CASE WHEN ${column} THEN 'true' ELSE 'false' END`;

const FIXED = `m.message_id, m.seq, m.ordinal, m.user_id, m.client_message_id, coalesce(m.reply_to, ''), ${time('m.at')}`;
const CHANGING = `m.message_id, m.content, ${time('m.edited_at')}, ${time('m.deleted_at')}`;
const STATE = `coalesce(c.title, ''), c.visibility, ${flag('c.archived')}, c.created_by,
  array_to_string(c.participant_ids, E'\\x1f')`;
const PARTICIPANT = `p.user_id, ${flag('p.member')}, ${flag('p.posted')}, p.joined_ordinal`;

const LIVE = `
  SELECT v.version, v.epoch, min(c.seq) AS checkpoint
  FROM projection_versions v JOIN projection_checkpoints c USING (projection, version)
  WHERE projection = 'history' AND v.status = 'live' GROUP BY v.version, v.epoch`;

const DIGESTS = `
  SELECT coalesce(c.id, m.conversation_id) AS id, c.message_count, coalesce(m.messages, 0) AS messages,
         concat_ws('.', ${hash(STATE)}, coalesce(m.fixed, 0), coalesce(m.changing, 0), coalesce(p.sum, 0)) AS hash
  FROM conversations c
  FULL JOIN (SELECT conversation_id, count(*) AS messages, sum(${hash(FIXED)}) AS fixed,
                    sum(${hash(CHANGING)}) AS changing
             FROM messages m GROUP BY conversation_id) m ON m.conversation_id = c.id
  LEFT JOIN (SELECT conversation_id, sum(${hash(PARTICIPANT)}) AS sum
             FROM participants p GROUP BY conversation_id) p ON p.conversation_id = c.id`;

/**
 * The digest of the live read model "history", with the checkpoint it belongs to. Must run in a transaction of
 * isolation level REPEATABLE READ, so that both are of the same moment.
 *
 * @returns null when there is no live version yet
 */
export async function readHistoryDigest(client: ClientBase): Promise<HistoryDigest | null> {
  const [live] = (await client.query<{ version: number; epoch: string; checkpoint: string }>(LIVE)).rows;
  if (live === undefined) return null;
  const { rows } = await client.query<{ id: string; message_count: string; messages: string; hash: string }>(
    DIGESTS,
  );
  const conversations = new Map<string, ConversationDigest>();
  for (const row of rows) {
    const messages = Number(row.messages);
    const counted = Number(row.message_count);
    // The count kept with the conversation is part of what must be right.
    const suffix = counted === messages ? '' : ` (message_count says ${counted})`;
    conversations.set(row.id, { messages, hash: row.hash + suffix });
  }
  return { version: live.version, epoch: live.epoch, checkpoint: Number(live.checkpoint), conversations };
}
