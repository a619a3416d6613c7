import { Prisma } from '../platform/postgres/database.ts';

/** Deleted messages that are counted, at most. Beyond this number, more is shown as unread than there is. */
const DELETED_MAX = 10_000;

/**
 * How many messages of a conversation after a sequence are deleted. Ordinals count them, what is unread does not. A partial
 * index holds them alone, so nearly always this is one step in an index.
 *
 * @param conversationId a column
 * @param seq a column or an expression
 */
export function deletedSince(conversationId: string, seq: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`(
    SELECT count(*) FROM (
      SELECT FROM messages d
      WHERE d.conversation_id = ${Prisma.raw(conversationId)} AND d.seq > ${seq} AND d.deleted_at IS NOT NULL
      LIMIT ${DELETED_MAX}::int
    ) deleted)`;
}
