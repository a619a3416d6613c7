/** What happens in conversations, as the server stores and sends it. */
interface EventBase {
  /** Version of the event's shape. */
  readonly v: 1;
  readonly conversationId: string;
  /** Who did it. */
  readonly userId: string;
  /** ISO 8601, UTC, milliseconds. */
  readonly at: string;
}

/** What a conversation is after an event. */
export interface ConversationState {
  readonly title: string | null;
  readonly visibility: 'members' | 'open';
  readonly participantIds: readonly string[];
  readonly createdBy: string;
  readonly createdAt: string;
  readonly archived: boolean;
}

/** A file that was uploaded before and is shown with a message. */
export interface Attachment {
  readonly id: string;
  readonly name: string;
  readonly mediaType: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface MessagePosted extends EventBase {
  readonly type: 'MessagePosted';
  readonly messageId: string;
  readonly clientMessageId: string;
  readonly content: string;
  readonly replyTo: string | null;
  readonly attachments: readonly Attachment[];
}

export interface MessageEdited extends EventBase {
  readonly type: 'MessageEdited';
  readonly messageId: string;
  readonly content: string;
}

export interface MessageDeleted extends EventBase {
  readonly type: 'MessageDeleted';
  readonly messageId: string;
  /** Present: it was erased, also from the log. Forget it wherever you have it; this much of it remains. */
  readonly erased?: {
    readonly seq: number;
    readonly userId: string;
    readonly replyTo: string | null;
    readonly at: string;
  };
}

export interface ReactionChanged extends EventBase {
  readonly type: 'ReactionAdded' | 'ReactionRemoved';
  readonly messageId: string;
  readonly emoji: string;
}

/** `ConversationArchived`: `state.archived` says which way. */
export interface ConversationChanged extends EventBase {
  readonly type: 'ConversationCreated' | 'ConversationRenamed' | 'ConversationArchived';
  readonly state: ConversationState;
}

/** `participantIds`: who was not there, or was, before. */
export interface ParticipantsChanged extends EventBase {
  readonly type: 'ParticipantAdded' | 'ParticipantRemoved';
  readonly participantIds: readonly string[];
  readonly state: ConversationState;
}

/** Everything that can happen in a conversation. Newer servers may send more types: have a default case. */
export type ChatEvent =
  | MessagePosted
  | MessageEdited
  | MessageDeleted
  | ReactionChanged
  | ConversationChanged
  | ParticipantsChanged;
