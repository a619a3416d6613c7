import type { ClientBase } from 'pg';

/** What a conversation amounts to: equal in log and read model when and only when they agree. */
export interface ConversationDigest {
  readonly messages: number;
  readonly hash: string;
}

export interface HistoryDigest {
  readonly version: number;
  readonly epoch: string;
  /** Up to where each partition group is in the read model, except of what is parked. */
  readonly checkpoints: ReadonlyMap<number, number>;
  /** Conversations that wait aside: they are not complete, and known not to be. */
  readonly parked: ReadonlySet<string>;
  readonly conversations: ReadonlyMap<string, ConversationDigest>;
}

// The first 52 bits of the MD5 of the fields, as `logDigest.ts` computes it.
const hash = (fields: string) => `('x' || left(md5(concat_ws(E'\\x1f', ${fields})), 13))::bit(52)::bigint`;
const time = (column: string) =>
  `coalesce(to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), '')`;
const flag = (column: string) => `CASE WHEN ${column} THEN 'true' ELSE 'false' END`;

const FIXED = `m.message_id, m.seq, m.user_id, coalesce(m.reply_to, ''), ${time('m.at')}`;
const ATTACHMENTS = `coalesce((SELECT string_agg(a.value->>'id', ',' ORDER BY a.ordinality)
  FROM jsonb_array_elements(m.attachments) WITH ORDINALITY a), '')`;
const CHANGING = `m.message_id, m.content, ${ATTACHMENTS}, ${time('m.edited_at')}, ${time('m.deleted_at')}`;
const STATE = `coalesce(c.title, ''), c.visibility, ${flag('c.archived')}, c.created_by,
  array_to_string(c.participant_ids, E'\\x1f')`;
const PARTICIPANT = 'p.user_id, p.joined_seq';
const REACTION = 'r.message_id, r.emoji, r.user_id, r.seq';

const LIVE = `
  SELECT v.version, v.epoch, c.partition_group, c.seq
  FROM projection_versions v JOIN projection_checkpoints c USING (projection, version)
  WHERE projection = 'history' AND v.status = 'live'`;

const PARKED = `SELECT conversation_id FROM parked_conversations WHERE projection = 'history' AND version = $1`;

/** @param where what narrows down conversations, messages (`m`) and participants (`p`), by their column `conversation_id` */
const digests = (where: string) => `
  SELECT coalesce(c.id, m.conversation_id) AS id, coalesce(m.messages, 0) AS messages, coalesce(m.dense, true) AS dense,
         concat_ws('.', ${hash(STATE)}, coalesce(m.fixed, 0), coalesce(m.changing, 0), coalesce(p.sum, 0),
                   coalesce(r.sum, 0)) AS hash
  FROM (SELECT * FROM (SELECT *, id AS conversation_id FROM conversations) AS known ${where}) c
  FULL JOIN (SELECT conversation_id, count(*) AS messages, bool_and(ordinal = nth) AS dense,
                    sum(${hash(FIXED)}) AS fixed, sum(${hash(CHANGING)}) AS changing
             FROM (SELECT *, row_number() OVER (PARTITION BY conversation_id ORDER BY seq) AS nth
                   FROM messages ${where}) m
             GROUP BY conversation_id) m ON m.conversation_id = c.id
  LEFT JOIN (SELECT conversation_id, sum(${hash(PARTICIPANT)}) AS sum
             FROM participants p ${where} GROUP BY conversation_id) p ON p.conversation_id = c.id
  LEFT JOIN (SELECT m.conversation_id, sum(${hash(REACTION)}) AS sum
             FROM reactions r JOIN (SELECT * FROM messages ${where}) m USING (message_id)
             GROUP BY m.conversation_id) r ON r.conversation_id = c.id`;

/**
 * The digest of the live read model "history", with the checkpoints it belongs to. Must run in a transaction of
 * isolation level REPEATABLE READ, so that all is of the same moment.
 *
 * @param only of these conversations; absent: of all
 * @returns null when there is no live version yet
 */
export async function readHistoryDigest(
  client: ClientBase,
  only?: readonly string[],
): Promise<HistoryDigest | null> {
  const live = (await client.query<LiveRow>(LIVE)).rows;
  const [first] = live;
  if (first === undefined) return null;
  const parked = await client.query<{ conversation_id: string }>(PARKED, [first.version]);
  const { rows } =
    only === undefined
      ? await client.query<DigestRow>(digests(''))
      : await client.query<DigestRow>(digests('WHERE conversation_id = ANY($1::text[])'), [only]);
  return {
    version: first.version,
    epoch: first.epoch,
    checkpoints: new Map(live.map(({ partition_group, seq }) => [partition_group, Number(seq)])),
    parked: new Set(parked.rows.map(({ conversation_id }) => conversation_id)),
    conversations: new Map(rows.map((row) => [row.id, toDigest(row)])),
  };
}

interface LiveRow {
  readonly version: number;
  readonly epoch: string;
  readonly partition_group: number;
  readonly seq: string;
}

interface DigestRow {
  readonly id: string;
  readonly messages: string;
  readonly dense: boolean;
  readonly hash: string;
}

/** The ordinals, which also say how many messages there are, are part of what must be right. */
function toDigest(row: DigestRow): ConversationDigest {
  const dense = row.dense ? '' : ' (the ordinals are not 1, 2, 3, …)';
  return { messages: Number(row.messages), hash: row.hash + dense };
}
