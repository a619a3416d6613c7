import type { Pool } from 'pg';
import type { Attachment } from '../../domain/conversation/events.ts';
import type { ConversationState } from '../../domain/conversation/state.ts';
import type { MessageFacts } from './conversationFacts.ts';

const STATE = `
  SELECT title, visibility, created_by, created_at, archived, participant_ids FROM conversations WHERE id = $1`;

/** `null` when there is no such conversation. */
export async function readKnownState(pool: Pool, conversationId: string): Promise<ConversationState | null> {
  const [row] = (await pool.query<StateRow>(STATE, [conversationId])).rows;
  if (row === undefined) return null;
  return {
    title: row.title,
    visibility: row.visibility,
    participantIds: row.participant_ids,
    createdBy: row.created_by,
    createdAt: row.created_at.toISOString(),
    archived: row.archived,
  };
}

interface StateRow {
  readonly title: string | null;
  readonly visibility: ConversationState['visibility'];
  readonly created_by: string;
  readonly created_at: Date;
  readonly archived: boolean;
  readonly participant_ids: readonly string[];
}

const PAGE = 1_000;

// Parameters: conversation, sequence of the message before the first.
const MESSAGES = `
  SELECT m.message_id, m.seq, m.user_id, m.client_message_id, m.content, m.reply_to, m.attachments, m.at, m.edited_at,
         m.deleted_at, CASE WHEN m.has_reactions THEN (
           SELECT json_agg(json_build_object('emoji', r.emoji, 'userId', r.user_id) ORDER BY r.seq)
           FROM reactions r WHERE r.message_id = m.message_id) END AS reactions
  FROM messages m WHERE m.conversation_id = $1 AND m.seq > $2 ORDER BY m.seq LIMIT ${PAGE}`;

/** All messages of a conversation, in the order in which they were posted, a page at a time. */
export async function* readKnownMessages(
  pool: Pool,
  conversationId: string,
): AsyncGenerator<MessageFacts[], void, undefined> {
  for (let after = 0; ; ) {
    const { rows } = await pool.query<MessageRow>(MESSAGES, [conversationId, after]);
    if (rows.length > 0) yield rows.map(toFacts);
    if (rows.length < PAGE) return;
    after = Number(rows.at(-1)?.seq);
  }
}

interface MessageRow {
  readonly message_id: string;
  readonly seq: string;
  readonly user_id: string;
  readonly client_message_id: string;
  readonly content: string;
  readonly reply_to: string | null;
  readonly attachments: readonly Attachment[] | null;
  readonly at: Date;
  readonly edited_at: Date | null;
  readonly deleted_at: Date | null;
  readonly reactions: MessageFacts['reactions'] | null;
}

function toFacts(row: MessageRow): MessageFacts {
  return {
    messageId: row.message_id,
    userId: row.user_id,
    clientMessageId: row.client_message_id,
    content: row.content,
    replyTo: row.reply_to,
    attachments: row.attachments ?? [],
    at: row.at.toISOString(),
    editedAt: row.edited_at?.toISOString() ?? null,
    deletedAt: row.deleted_at?.toISOString() ?? null,
    reactions: row.reactions ?? [],
  };
}
