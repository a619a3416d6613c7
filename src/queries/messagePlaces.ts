import { Prisma, type Reads } from '../platform/postgres/database.ts';

/** Where a message is in the log; or up to where there certainly is none with its id. */
type HistoryPlace = { readonly seq: number } | { readonly missingUpTo: number };

interface Row {
  readonly seq: bigint | null;
  readonly checkpoint: bigint;
  readonly parked_seq: bigint | null;
}

/**
 * Where messages are, as the history has them.
 *
 * @param epoch of the log: a history of another one knows nothing of this one's sequences
 */
export function historyPlaces(database: Reads, epoch: () => string) {
  return {
    /** @throws ChatError database_unavailable */
    async find(conversationId: string, messageId: string): Promise<HistoryPlace> {
      const statement = place(conversationId, messageId, epoch());
      const rows = await database.ask('messagePlaces', (prisma) => prisma.$queryRaw<Row[]>(statement));
      return toPlace(rows[0]);
    },
  };
}

function toPlace(row: Row | undefined): HistoryPlace {
  if (row === undefined) return { missingUpTo: 0 };
  if (row.seq !== null) return { seq: Number(row.seq) };
  // A conversation that is parked is complete up to the event that it waits with.
  return { missingUpTo: Number(row.parked_seq === null ? row.checkpoint : row.parked_seq - 1n) };
}

/** By primary key, and how far the history is: no row when it is of another log. */
function place(conversationId: string, messageId: string, epoch: string): Prisma.Sql {
  return Prisma.sql`
    SELECT
      (SELECT m.seq FROM messages m WHERE m.message_id = ${messageId} AND m.conversation_id = ${conversationId}) AS seq,
      (SELECT min(c.seq) FROM projection_checkpoints c
       WHERE c.projection = v.projection AND c.version = v.version) AS checkpoint,
      (SELECT p.seq FROM parked_conversations p
       WHERE p.projection = v.projection AND p.version = v.version AND p.conversation_id = ${conversationId}) AS parked_seq
    FROM projection_versions v
    WHERE v.projection = 'history' AND v.status = 'live' AND v.epoch = ${epoch}`;
}
