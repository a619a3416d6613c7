import { Prisma, type Reads } from '../platform/postgres/database.ts';
import { deletedSince } from './deletedSince.ts';

export interface UnreadQuestion {
  readonly conversationId: string;
  readonly userId: string;
  /** How far the user has read, whatever the table of receipts knows of it by now. */
  readonly readSeq: number;
}

/**
 * Messages of a conversation that a user has not read: behind the receipt, their own latest message and their coming in,
 * and not deleted.
 * 0 while the history does not have the conversation yet.
 *
 * @throws ChatError database_unavailable
 */
export async function countUnread(database: Reads, question: UnreadQuestion): Promise<number> {
  const rows = await database.ask('countUnread', (prisma) =>
    prisma.$queryRaw<{ unread: bigint }[]>(unread(question)),
  );
  return Number(rows[0]?.unread ?? 0);
}

/** Whose, where, and how far they have read. */
function unread({ conversationId, userId, readSeq }: UnreadQuestion): Prisma.Sql {
  const seen = Prisma.sql`greatest(${readSeq}::bigint, e.joined_seq, e.own_seq, r.read_seq)`;
  return Prisma.sql`
    SELECT coalesce((
      SELECT l.ordinal FROM messages l WHERE l.conversation_id = c.id ORDER BY l.seq DESC LIMIT 1
    ), 0) - coalesce((
      SELECT o.ordinal FROM messages o
      WHERE o.conversation_id = c.id
        AND o.seq <= ${seen}
      ORDER BY o.seq DESC LIMIT 1
    ), 0) - ${deletedSince('c.id', seen)} AS unread
    FROM inbox_entries e
      RIGHT JOIN conversations c ON c.id = e.conversation_id AND e.user_id = ${userId}
      LEFT JOIN read_receipts r ON r.conversation_id = c.id AND r.user_id = ${userId}
    WHERE c.id = ${conversationId}`;
}
