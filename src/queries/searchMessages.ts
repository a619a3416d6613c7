import { setImmediate as nextTurn } from 'node:timers/promises';
import { ChatError } from '../contracts/errors.ts';
import { Prisma, type PrismaClient, type Reads } from '../platform/postgres/database.ts';
import { isStatementTimeout } from '../platform/postgres/databaseFault.ts';
import { highlight } from './highlight.ts';
import { MESSAGE_JSON } from './messageJson.ts';
import { type SearchTerms, searchTerms } from './searchTerms.ts';

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
  /** How long Postgres may search, in milliseconds: less than it may take for what costs the same for everybody. */
  readonly statementMsMax: number;
}

export interface SearchPage {
  /** A JSON array of `SearchHit`, the latest first, as Postgres built it. */
  readonly messagesJson: string;
  /** What to ask the next page with; null when this is the last. */
  readonly nextBefore: number | null;
}

interface Row {
  readonly seq: bigint;
  /** As a `MessageView`; null when the history has it not yet, or as deleted. */
  readonly json: string | null;
  readonly conversation_id: string | null;
  readonly content: string | null;
}

/**
 * Finds messages by their words. What has no words finds nothing, and asks nobody.
 *
 * @throws ChatError database_unavailable; overloaded when it takes too long, which is no fault of the database: it is a
 *   matter of what is searched for
 */
export async function searchMessages(database: Reads, question: SearchQuestion): Promise<SearchPage> {
  const terms = searchTerms(question.text);
  if (terms === null) return { messagesJson: '[]', nextBefore: null };
  const rows = await database.ask('searchMessages', (prisma) => hitRows(prisma, question, terms));
  const page = rows.slice(0, question.limit);
  const hits: string[] = [];
  let length = 0;
  for (const row of page) {
    length += row.content?.length ?? 0;
    hits.push(...(await hitJson(row, terms, length > HIGHLIGHTED_LENGTH_MAX)));
  }
  const last = page.at(-1);
  const nextBefore = rows.length > page.length && last !== undefined ? Number(last.seq) : null;
  return { messagesJson: `[${hits.join(',')}]`, nextBefore };
}

/** In a transaction, because a time limit of its own is the transaction's. */
async function hitRows(prisma: PrismaClient, question: SearchQuestion, terms: SearchTerms): Promise<Row[]> {
  const limitTime = prisma.$executeRaw`SELECT set_config('statement_timeout', ${`${question.statementMsMax}`}, true)`;
  try {
    const [, rows] = await prisma.$transaction([
      limitTime,
      prisma.$queryRaw<Row[]>(searchJson(question, terms)),
    ]);
    return rows;
  } catch (cause) {
    if (!isStatementTimeout(cause)) throw cause;
    const detail = 'The search takes too long: search for rarer words, or in one conversation.';
    throw new ChatError('overloaded', detail, { cause });
  }
}

/** UTF-16 units of a page that are looked through for what to mark; of the hits after that only the beginning is. */
const HIGHLIGHTED_LENGTH_MAX = 200_000;
/** Longer texts than this are highlighted one in a turn of the event loop. */
const LENGTH_PER_TURN = 1_000;

/** A row as a `SearchHit`, or nothing. */
async function hitJson(row: Row, { phrases }: SearchTerms, onlyBeginning: boolean): Promise<string[]> {
  const { json, conversation_id, content } = row;
  if (json === null || content === null) return [];
  if (content.length > LENGTH_PER_TURN) await nextTurn();
  const text = onlyBeginning ? content.slice(0, LENGTH_PER_TURN) : content;
  const more = { conversationId: conversation_id, highlight: highlight(text, phrases) };
  return [`${json.slice(0, -1)},${JSON.stringify(more).slice(1)}`];
}

/**
 * The relations are named in the order in which a switch to another version replaces them. One hit more than asked for is
 * read, to see whether there is a next page.
 */
function searchJson(
  { userId, conversationId, before, limit }: SearchQuestion,
  { tsquery }: SearchTerms,
): Prisma.Sql {
  const where =
    conversationId === undefined
      ? Prisma.sql`d.conversation_id = ANY(ARRAY(
          SELECT i.conversation_id
          FROM inbox_conversations i JOIN inbox_entries e ON e.conversation_id = i.conversation_id
          WHERE e.user_id = ${userId} AND (e.member OR i.open)))`
      : Prisma.sql`d.conversation_id = ${conversationId}`;
  return Prisma.sql`
    WITH hits AS (
      SELECT d.message_id, d.seq FROM search_documents d
      WHERE ${where} AND d.tsv @@ ${tsquery}::tsquery AND d.seq < ${before ?? Number.MAX_SAFE_INTEGER}::bigint
      ORDER BY d.seq DESC LIMIT ${limit + 1}::int
    )
    SELECT h.seq, m.conversation_id, m.content, CASE WHEN m.message_id IS NOT NULL THEN ${MESSAGE_JSON}::text END AS json
    FROM hits h LEFT JOIN messages m ON m.message_id = h.message_id AND m.deleted_at IS NULL
    ORDER BY h.seq DESC`;
}
