import { type Database, Prisma } from '../platform/database.ts';
import { type ConversationCursor, encodeCursor } from './conversationCursor.ts';
import { isoTime, MESSAGE_JSON } from './messageJson.ts';

export interface ConversationsQuestion {
  readonly userId: string;
  /** Where the page before ended; null for the first page. */
  readonly after: ConversationCursor | null;
  /** Conversations at most, 1–200. */
  readonly limit: number;
}

export interface ConversationsPage {
  /** A JSON array of `ConversationSummary`, the most recently active first, as Postgres built it. */
  readonly conversationsJson: string;
  /** What to ask the next page with; null when this is the last. */
  readonly nextCursor: string | null;
}

interface Row {
  readonly conversations: string;
  readonly has_more: boolean;
  readonly last_id: string | null;
  readonly last_micros: bigint | null;
}

/** Behind every cursor there can be. */
const START: ConversationCursor = { activityMicros: Number.MAX_SAFE_INTEGER, conversationId: '' };

/**
 * The conversations that a user takes part in, or has posted to while they are open, latest activity first.
 *
 * @throws ChatError database_unavailable
 */
export async function listConversations(
  database: Database,
  question: ConversationsQuestion,
): Promise<ConversationsPage> {
  const [row] = await database.ask((prisma) => prisma.$queryRaw<Row[]>(listJson(question)));
  if (row === undefined) throw new Error('The statement of listConversations gives exactly one row');
  const { has_more: hasMore, last_id: conversationId, last_micros: micros } = row;
  if (!hasMore || conversationId === null || micros === null) {
    return { conversationsJson: row.conversations, nextCursor: null };
  }
  const nextCursor = encodeCursor({ activityMicros: Number(micros), conversationId });
  return { conversationsJson: row.conversations, nextCursor };
}

/**
 * Whose list, from where, how many (one more is looked at, to see whether there is a next page). The relations are
 * named in the order in which a switch to another version replaces them, so that the two cannot lock each other out.
 */
function listJson({ userId, after, limit }: ConversationsQuestion): Prisma.Sql {
  const { activityMicros, conversationId } = after ?? START;
  return Prisma.sql`
    WITH mine AS (
      SELECT c.*, c.id COLLATE "C" AS place, p.user_id AS reader, p.joined_ordinal, (extract(epoch FROM c.last_activity_at) * 1000000)::bigint AS micros
      FROM conversations c JOIN participants p ON p.conversation_id = c.id
      WHERE p.user_id = ${userId} AND (p.member OR (p.posted AND c.visibility = 'open'))
    ), found AS (
      SELECT *, row_number() OVER (ORDER BY micros DESC, place) AS nth FROM mine
      WHERE micros < ${activityMicros}::bigint OR (micros = ${activityMicros}::bigint AND place > ${conversationId})
      ORDER BY micros DESC, place LIMIT ${limit + 1}::int
    )
    SELECT
      coalesce(json_agg(${CONVERSATION_JSON} ORDER BY f.nth) FILTER (WHERE f.nth <= ${limit}::int), '[]')::text
        AS conversations,
      count(*) > ${limit}::int AS has_more,
      max(f.id) FILTER (WHERE f.nth = ${limit}::int) AS last_id,
      max(f.micros) FILTER (WHERE f.nth = ${limit}::int) AS last_micros
    FROM found f LEFT JOIN messages m ON m.conversation_id = f.id AND m.seq = f.last_message_seq
      LEFT JOIN LATERAL (
        /* Who says something has seen what was there. */
        SELECT o.ordinal FROM messages o WHERE o.user_id = f.reader AND o.conversation_id = f.id
        ORDER BY o.seq DESC LIMIT 1
      ) own ON true
      LEFT JOIN read_receipts r ON r.user_id = f.reader AND r.conversation_id = f.id
      LEFT JOIN LATERAL (
        SELECT o.ordinal FROM messages o WHERE o.conversation_id = f.id AND o.seq <= r.read_seq
        ORDER BY o.seq DESC LIMIT 1
      ) seen ON true`;
}

/** A row `f` of conversations with its last message `m`, as the `ConversationSummary` of the contracts. */
const CONVERSATION_JSON = Prisma.sql`json_build_object(
  'id', f.id,
  'title', f.title,
  'visibility', f.visibility,
  'participantIds', f.participant_ids,
  'createdBy', f.created_by,
  'createdAt', ${isoTime('f.created_at')},
  'archived', f.archived,
  'lastMessage', CASE WHEN m.message_id IS NOT NULL THEN ${MESSAGE_JSON} END,
  'lastActivityAt', ${isoTime('f.last_activity_at')},
  'messageCount', f.message_count,
  'unreadCount', f.message_count - greatest(f.joined_ordinal, coalesce(own.ordinal, 0), coalesce(seen.ordinal, 0))
)`;
