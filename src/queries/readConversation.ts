import type { ConversationView } from '../contracts/http.ts';
import { Prisma, type Reads } from '../platform/database.ts';
import { isoTime } from './messageJson.ts';

/** A conversation as the history has it, and the sequence of the event that made it so. */
export interface KnownConversation {
  readonly conversation: ConversationView;
  readonly version: number;
}

interface Row {
  readonly conversation: ConversationView;
  readonly state_seq: bigint;
}

/**
 * One conversation, with its participants in the order in which they were added.
 *
 * @returns null when the history does not have it (yet)
 * @throws ChatError database_unavailable
 */
export async function readConversation(
  database: Reads,
  conversationId: string,
): Promise<KnownConversation | null> {
  const [row] = await database.ask('readConversation', (prisma) =>
    prisma.$queryRaw<Row[]>(conversationById(conversationId)),
  );
  return row === undefined ? null : { conversation: row.conversation, version: Number(row.state_seq) };
}

/** By primary key: one row or none. */
function conversationById(conversationId: string): Prisma.Sql {
  return Prisma.sql`
    SELECT c.state_seq, json_build_object(
      'id', c.id,
      'title', c.title,
      'visibility', c.visibility,
      'participantIds', c.participant_ids,
      'createdBy', c.created_by,
      'createdAt', ${isoTime('c.created_at')},
      'archived', c.archived
    ) AS conversation
    FROM conversations c WHERE c.id = ${conversationId}`;
}
