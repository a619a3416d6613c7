import type { ConversationView } from '../contracts/http/answers/conversations.ts';
import { Prisma, type Reads } from '../platform/postgres/database.ts';
import { CONVERSATION_FIELDS } from './conversationJson.ts';

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
    SELECT c.state_seq, json_build_object(${CONVERSATION_FIELDS}) AS conversation
    FROM conversations c WHERE c.id = ${conversationId}`;
}
