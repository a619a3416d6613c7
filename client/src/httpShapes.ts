import type { AckLevel, Attachment } from './protocol.ts';

/** A conversation as the HTTP API shows it. */
export interface Conversation {
  readonly id: string;
  readonly title: string | null;
  readonly visibility: 'members' | 'open';
  readonly participantIds: readonly string[];
  readonly createdBy: string;
  readonly createdAt: string;
  readonly archived: boolean;
}

/** A message as the HTTP API shows it. */
export interface Message {
  readonly messageId: string;
  readonly seq: number;
  readonly userId: string;
  /** Empty once deleted. */
  readonly content: string;
  readonly replyTo: string | null;
  readonly attachments: readonly Attachment[];
  /** Who reacted, by emoji. */
  readonly reactions: Readonly<Record<string, readonly string[]>>;
  readonly editedAt: string | null;
  readonly deletedAt: string | null;
  readonly at: string;
}

/** A conversation in a user's list. */
export interface ConversationSummary extends Conversation {
  readonly lastMessage: Message | null;
  readonly lastActivityAt: string;
  readonly messageCount: number;
  readonly unreadCount: number;
}

/** What creating a conversation gives. */
export interface CreatedConversation {
  readonly conversation: Conversation;
  /** An earlier call with the same `clientConversationId` made it. */
  readonly duplicate: boolean;
  /** Join with `after: seq` to miss nothing that comes after. */
  readonly seq: number;
  /** Hand it to `history` to read what was written. */
  readonly position: string;
}

/** What sending a message gives. */
export interface PostedMessage {
  readonly message: Message;
  readonly seq: number;
  readonly position: string;
  readonly level: AckLevel;
  /** True when an earlier request with the same clientMessageId had stored it. */
  readonly duplicate: boolean;
}

/** A page of a conversation's history, oldest first. */
export interface HistoryPage {
  readonly messages: readonly Message[];
  readonly hasMore: boolean;
  /** `log`: the database is down, and recent history comes from the log. */
  readonly source: 'database' | 'log';
  /** How far the database is behind the log. */
  /** `events` is `null` while the log does not answer. `seconds`: the oldest missing event is not older. */
  readonly lag: { readonly events: number | null; readonly seconds: number };
}

/** A page of a user's conversations, latest activity first. */
export interface ConversationPage {
  readonly conversations: readonly ConversationSummary[];
  readonly nextCursor: string | null;
}

/** Where a change of a message is in the log, not the message. */
export interface ChangedMessage {
  readonly messageId: string;
  readonly seq: number;
  /** Hand it to `history` or `search` to read what was changed. */
  readonly position: string;
}

/** What editing a message gives. */
export interface EditedMessage extends ChangedMessage {
  readonly editedAt: string;
}

/** What deleting a message gives. */
export interface DeletedMessage extends ChangedMessage {
  readonly deletedAt: string;
  /** Of an erasure: events whose bytes were taken out of the log. */
  readonly erased?: number;
}

/** What adding or taking back a reaction gives. */
export interface ChangedReaction extends ChangedMessage {
  readonly emoji: string;
  readonly at: string;
}

/** A message that a search has found. */
export interface SearchHit extends Message {
  readonly conversationId: string;
  /** The text around the words as HTML: everything is escaped, and nothing but `<mark>` is markup. */
  readonly highlight: string;
}

/** A page of what a search has found, the latest first. */
export interface SearchPage {
  readonly messages: readonly SearchHit[];
  /** Null on the last page. */
  readonly nextCursor: string | null;
}
