import { Prisma, type Reads } from '../platform/postgres/database.ts';
import { MESSAGE_JSON } from './messageJson.ts';

export interface SearchQuestion {
  /** Words as people type them: all of them, "a phrase", or, -not. */
  readonly text: string;
  /** In the conversations of this user … */
  readonly userId: string;
  /** … or in this one, which the caller has found that the user may see. */
  readonly conversationId?: string | undefined;
  /** Hits before this sequence; absent: the latest. */
  readonly before?: number | undefined;
  /** Hits at most, 1–200. */
  readonly limit: number;
}

export interface SearchPage {
  /** A JSON array of `SearchHit`, the latest first, as Postgres built it. */
  readonly messagesJson: string;
  /** What to ask the next page with; null when this is the last. */
  readonly nextBefore: number | null;
}

interface Row {
  readonly messages: string;
  readonly has_more: boolean;
  readonly last_seq: bigint | null;
}

/** Finds messages by their words. @throws ChatError database_unavailable */
export async function searchMessages(database: Reads, question: SearchQuestion): Promise<SearchPage> {
  const [row] = await database.ask('searchMessages', (prisma) =>
    prisma.$queryRaw<Row[]>(searchJson(question)),
  );
  if (row === undefined) throw new Error('The statement of searchMessages gives exactly one row');
  const nextBefore = row.has_more && row.last_seq !== null ? Number(row.last_seq) : null;
  return { messagesJson: row.messages, nextBefore };
}

/**
 * Without dashes that exclude nothing: Postgres puts each on a stack of 32 until a word comes, and raises an internal error
 * for one more.
 */
function bareWords(text: string): string {
  return text.replace(/-(?![\p{L}\p{N}"])/gu, ' ');
}

/** As the text is stored, except that nothing in it can be markup: the marks around the hits are the only one. */
const ESCAPED = Prisma.raw(
  `replace(replace(replace(replace(m.content, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;')`,
);
const HEADLINE = Prisma.raw(
  `'StartSel=<mark>, StopSel=</mark>, MaxFragments=2, MinWords=8, MaxWords=24, FragmentDelimiter=" … "'`,
);

/**
 * The relations are named in the order in which a switch to another version replaces them. One hit more than asked for is
 * read, to see whether there is a next page.
 */
function searchJson({ text, userId, conversationId, before, limit }: SearchQuestion): Prisma.Sql {
  const where =
    conversationId === undefined
      ? Prisma.sql`d.conversation_id = ANY(ARRAY(
          SELECT i.conversation_id
          FROM inbox_conversations i JOIN inbox_entries e ON e.conversation_id = i.conversation_id
          WHERE e.user_id = ${userId} AND (e.member OR i.open)))`
      : Prisma.sql`d.conversation_id = ${conversationId}`;
  return Prisma.sql`
    WITH asked AS (
      SELECT websearch_to_tsquery('simple', translate(${bareWords(text)}, '<>&', '   ')) AS words
    ), hits AS (
      SELECT d.message_id, d.seq, row_number() OVER (ORDER BY d.seq DESC) AS nth
      FROM search_documents d, asked
      WHERE ${where} AND d.tsv @@ asked.words AND d.seq < ${before ?? Number.MAX_SAFE_INTEGER}::bigint
      ORDER BY d.seq DESC LIMIT ${limit + 1}::int
    )
    SELECT
      coalesce(json_agg(
        (${MESSAGE_JSON}::jsonb || jsonb_build_object(
          'conversationId', m.conversation_id,
          'highlight', ts_headline('simple', ${ESCAPED}, asked.words, ${HEADLINE})
        )) ORDER BY h.nth) FILTER (WHERE h.nth <= ${limit}::int AND m.deleted_at IS NULL), '[]')::text AS messages,
      count(h.nth) > ${limit}::int AS has_more,
      max(h.seq) FILTER (WHERE h.nth = ${limit}::int) AS last_seq
    FROM hits h JOIN asked ON true LEFT JOIN messages m ON m.message_id = h.message_id`;
}
