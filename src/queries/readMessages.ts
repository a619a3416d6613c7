import type { MessagesQuestion } from '../contracts/http/messagesQuestion.ts';
import { Prisma, type Reads } from '../platform/postgres/database.ts';
import type { Checkpoint } from './lag.ts';
import { MESSAGE_JSON } from './messageJson.ts';

export interface MessagesPage {
  /** A JSON array of `MessageView`, oldest first, as Postgres built it. */
  readonly messagesJson: string;
  /** Whether there are more in the direction that was asked for. */
  readonly hasMore: boolean;
  /** Up to where the history is complete; null when it has not been built yet. */
  readonly checkpoint: Checkpoint | null;
}

interface Row {
  readonly messages: string;
  readonly has_more: boolean;
  readonly checkpoint_seq: bigint | null;
  readonly stored_at_ms: number | null;
}

const SEQ_MAX = Number.MAX_SAFE_INTEGER;

/**
 * A page of a conversation's history, with the checkpoint it was read at: one statement, so both are of the same
 * moment.
 *
 * @throws ChatError database_unavailable
 */
export async function readMessages(database: Reads, question: MessagesQuestion): Promise<MessagesPage> {
  const statement = messagesStatement(question);
  const rows = await database.ask('readMessages', (prisma) => prisma.$queryRaw<Row[]>(statement));
  const [row] = rows;
  if (row === undefined) throw new Error('The statement of readMessages gives exactly one row');
  const { checkpoint_seq: seq, stored_at_ms: storedAtMs } = row;
  const checkpoint = seq === null || storedAtMs === null ? null : { seq: Number(seq), storedAtMs };
  return { messagesJson: row.messages, hasMore: row.has_more, checkpoint };
}

/** The one statement of {@link readMessages}, with its values; measured against bare `pg` in `bench/`. */
export function messagesStatement(question: MessagesQuestion): Prisma.Sql {
  const { conversationId, before, after, limit } = question;
  const found =
    after === undefined
      ? pageBefore(conversationId, before ?? SEQ_MAX, limit)
      : pageAfter(conversationId, after, limit);
  return pageJson(found, limit);
}

/** The latest messages before a sequence, and one more to see whether there are more. */
function pageBefore(conversationId: string, before: number, limit: number): Prisma.Sql {
  return Prisma.sql`
    SELECT *, row_number() OVER (ORDER BY seq DESC) AS nth FROM messages
    WHERE conversation_id = ${conversationId} AND seq < ${before}::bigint ORDER BY seq DESC LIMIT ${limit + 1}::int`;
}

/** The earliest messages after a sequence, and one more to see whether there are more. */
function pageAfter(conversationId: string, after: number, limit: number): Prisma.Sql {
  return Prisma.sql`
    SELECT *, row_number() OVER (ORDER BY seq) AS nth FROM messages
    WHERE conversation_id = ${conversationId} AND seq > ${after}::bigint ORDER BY seq LIMIT ${limit + 1}::int`;
}

/** The page as JSON, oldest first, without the one that was only counted; and the history's checkpoint. */
function pageJson(found: Prisma.Sql, limit: number): Prisma.Sql {
  return Prisma.sql`
    WITH found AS (${found})
    SELECT page.messages, page.has_more, checkpoint.seq AS checkpoint_seq, checkpoint.stored_at_ms
    FROM (
      SELECT
        coalesce(json_agg(${MESSAGE_JSON} ORDER BY m.seq) FILTER (WHERE m.nth <= ${limit}::int), '[]')::text AS messages,
        count(*) > ${limit}::int AS has_more
      FROM found m
    ) page
    LEFT JOIN (
      SELECT c.seq, (extract(epoch FROM coalesce(c.stored_at, c.updated_at)) * 1000)::float8 AS stored_at_ms
      FROM projection_versions v JOIN projection_checkpoints c USING (projection, version)
      WHERE v.projection = 'history' AND v.status = 'live' ORDER BY c.seq LIMIT 1
    ) checkpoint ON true`;
}
