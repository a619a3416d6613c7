import type { ConversationState } from './state.ts';

/** What every event of version 1 carries. `userId` is who did it; `at` is ISO 8601, UTC, milliseconds. */
interface EventBase {
  readonly v: 1;
  readonly conversationId: string;
  readonly userId: string;
  readonly at: string;
}

interface ConversationEventBase extends EventBase {
  /** The whole state after this event. */
  readonly state: ConversationState;
}

export interface ConversationCreated extends ConversationEventBase {
  readonly type: 'ConversationCreated';
}
export interface ConversationRenamed extends ConversationEventBase {
  readonly type: 'ConversationRenamed';
}
/** One or more participants were added by one command; `participantIds` are those that were not there before. */
export interface ParticipantAdded extends ConversationEventBase {
  readonly type: 'ParticipantAdded';
  readonly participantIds: readonly string[];
}
export interface ParticipantRemoved extends ConversationEventBase {
  readonly type: 'ParticipantRemoved';
  readonly participantIds: readonly string[];
}
/** The archived flag changed; `state.archived` says to what. */
export interface ConversationArchived extends ConversationEventBase {
  readonly type: 'ConversationArchived';
}

/** A file that was uploaded before and is shown with a message. */
export interface Attachment {
  readonly id: string;
  readonly name: string;
  readonly mediaType: string;
  readonly bytes: number;
  readonly sha256: string;
}

interface MessageEventBase extends EventBase {
  readonly messageId: string;
}

export interface MessagePosted extends MessageEventBase {
  readonly type: 'MessagePosted';
  readonly clientMessageId: string;
  /** At most 8,000 characters; empty only when there are attachments. */
  readonly content: string;
  readonly replyTo: string | null;
  readonly attachments: readonly Attachment[];
}
export interface MessageEdited extends MessageEventBase {
  readonly type: 'MessageEdited';
  readonly content: string;
}
export interface MessageDeleted extends MessageEventBase {
  readonly type: 'MessageDeleted';
  /**
   * Present: the message was erased too. Its own events are taken out of the log after this one, so this one says what
   * a reader must know of a message that it never saw.
   */
  readonly erased?: ErasedMessage | undefined;
}

/** What is left of a message whose bytes were erased: its place, never its content. */
export interface ErasedMessage {
  /** Where its `MessagePosted` was. */
  readonly seq: number;
  /** Its author. */
  readonly userId: string;
  readonly replyTo: string | null;
  readonly at: string;
}

interface ReactionEventBase extends MessageEventBase {
  /** One emoji or name, in its one spelling; events of earlier versions hold any 1–32 characters. */
  readonly emoji: string;
}
/** A user has at most one reaction of each kind to a message; adding it again changes nothing. */
export interface ReactionAdded extends ReactionEventBase {
  readonly type: 'ReactionAdded';
}
export interface ReactionRemoved extends ReactionEventBase {
  readonly type: 'ReactionRemoved';
}

/** Events that carry the conversation's state; their order is guarded by an expected version. */
export type ConversationEvent =
  | ConversationCreated
  | ConversationRenamed
  | ParticipantAdded
  | ParticipantRemoved
  | ConversationArchived;

/** Events about single messages. They need no version: whatever their order, the outcome is the same. */
export type MessageEvent = MessagePosted | MessageEdited | MessageDeleted | ReactionAdded | ReactionRemoved;

export type ChatEvent = ConversationEvent | MessageEvent;

/** The last token of an event's subject. */
export type EventCategory = 'conversation' | 'message';

export function categoryOf(event: ChatEvent): EventCategory {
  return 'state' in event ? 'conversation' : 'message';
}
