import { Prisma, type Reads } from '../platform/postgres/database.ts';
import { type ConversationCursor, encodeCursor } from './conversationCursor.ts';
import { CONVERSATION_FIELDS } from './conversationJson.ts';
import { deletedSince } from './deletedSince.ts';
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
  database: Reads,
  question: ConversationsQuestion,
): Promise<ConversationsPage> {
  const [row] = await database.ask('listConversations', (prisma) =>
    prisma.$queryRaw<Row[]>(listJson(question)),
  );
  if (row === undefined) throw new Error('The statement of listConversations gives exactly one row');
  const { has_more: hasMore, last_id: conversationId, last_micros: micros } = row;
  if (!hasMore || conversationId === null || micros === null) {
    return { conversationsJson: row.conversations, nextCursor: null };
  }
  const nextCursor = encodeCursor({ activityMicros: Number(micros), conversationId });
  return { conversationsJson: row.conversations, nextCursor };
}

/**
 * Whose list, from where, how many (one more is read, to see whether there is a next page).
 *
 * The index of the inbox knows the hour of each conversation's latest activity: the page is among the latest hours that
 * hold enough, the last of them whole (`WITH TIES`), and is sorted by the exact time. What is shown of a conversation
 * comes from the history, which is a read model of its own: a conversation that it does not have yet is left out.
 *
 * The relations are named in the order in which a switch to another version replaces them, so that the two cannot lock
 * each other out.
 */
function listJson({ userId, after, limit }: ConversationsQuestion): Prisma.Sql {
  const { activityMicros, conversationId } = after ?? START;
  const bucket = Math.min(Math.floor(activityMicros / HOUR_MICROS), INT_MAX);
  return Prisma.sql`
    WITH latest AS (
      SELECT i.conversation_id, i.last_activity_at, i.conversation_id COLLATE "C" AS place,
             e.user_id, e.joined_seq, e.own_seq,
             (extract(epoch FROM i.last_activity_at) * 1000000)::bigint AS micros
      FROM inbox_conversations i JOIN inbox_entries e ON e.conversation_id = i.conversation_id
      WHERE e.user_id = ${userId} AND e.activity_bucket <= ${bucket}::int AND (e.member OR i.open)
        AND (-(extract(epoch FROM i.last_activity_at) * 1000000)::bigint, i.conversation_id COLLATE "C")
          > (-${activityMicros}::bigint, ${conversationId})
      ORDER BY e.activity_bucket DESC FETCH FIRST (${limit + 1}::int) ROWS WITH TIES
    ), page AS (
      SELECT *, row_number() OVER (ORDER BY micros DESC, place) AS nth FROM latest
      ORDER BY micros DESC, place LIMIT ${limit + 1}::int
    )
    SELECT
      coalesce(json_agg(${CONVERSATION_JSON} ORDER BY p.nth)
        FILTER (WHERE p.nth <= ${limit}::int AND c.id IS NOT NULL), '[]')::text AS conversations,
      count(*) > ${limit}::int AS has_more,
      max(p.conversation_id) FILTER (WHERE p.nth = ${limit}::int) AS last_id,
      max(p.micros) FILTER (WHERE p.nth = ${limit}::int) AS last_micros
    FROM page p LEFT JOIN conversations c ON c.id = p.conversation_id
      LEFT JOIN LATERAL (
        SELECT * FROM messages l WHERE l.conversation_id = c.id ORDER BY l.seq DESC LIMIT 1
      ) m ON true
      LEFT JOIN read_receipts r ON r.user_id = p.user_id AND r.conversation_id = c.id
      LEFT JOIN LATERAL (
        SELECT o.ordinal FROM messages o
        WHERE o.conversation_id = c.id AND o.seq <= ${SEEN_SEQ}
        ORDER BY o.seq DESC LIMIT 1
      ) seen ON true`;
}

const HOUR_MICROS = 3_600_000_000;
const INT_MAX = 2 ** 31 - 1;

/** What the user has certainly seen: what was there when they joined, posted, or marked it as read. */
const SEEN_SEQ = Prisma.sql`greatest(p.joined_seq, p.own_seq, r.read_seq)`;

/** A row `p` of the page with its conversation `c` and last message `m`, as the `ConversationSummary` of the contracts. */
const CONVERSATION_JSON = Prisma.sql`json_build_object(${CONVERSATION_FIELDS},
  'lastMessage', CASE WHEN m.message_id IS NOT NULL THEN ${MESSAGE_JSON} END,
  'lastActivityAt', ${isoTime('p.last_activity_at')},
  'messageCount', coalesce(m.ordinal, 0),
  'unreadCount', coalesce(m.ordinal, 0) - coalesce(seen.ordinal, 0) - ${deletedSince('c.id', SEEN_SEQ)}
)`;
