import type { ChatEvent } from './chatEvents.ts';

export type {
  Attachment,
  ChatEvent,
  ConversationChanged,
  ConversationState,
  MessageDeleted,
  MessageEdited,
  MessagePosted,
  ParticipantsChanged,
  ReactionChanged,
} from './chatEvents.ts';

/**
 * The frames of the native WebSocket protocol `chat.v1`, written by hand so that this package depends on nothing. A test
 * of the server holds them against the server's own schemas.
 */
export const SUBPROTOCOL = 'chat.v1';

/** Join target that stands for all conversations of the user. */
export const INBOX = '*';

/** Close codes that mean something to this client; any other is a connection that was lost. */
export const CLOSE_CODE = {
  normal: 1000,
  policy: 1008,
  overloaded: 1013,
  blocked: 4003,
  draining: 4012,
  rateLimited: 4029,
} as const;

/** What an ack promises: `accepted` is stored in the log, `durable` is in the database as well. */
export type AckLevel = 'accepted' | 'durable';

/** Follows a conversation, or {@link INBOX}. Without `after`: only what comes from now on. */
export interface JoinFrame {
  readonly op: 'join';
  readonly id: number;
  readonly conversationId: string;
  readonly after?: number;
  /** The epoch under which `after` was seen. */
  readonly epoch?: string;
}

export interface LeaveFrame {
  readonly op: 'leave';
  readonly id: number;
  readonly conversationId: string;
}

/** The server reads frames fastest that have their fields in this order and leave `replyTo` out when there is none. */
export interface SendFrame {
  readonly op: 'send';
  readonly id: number;
  readonly conversationId: string;
  readonly clientMessageId: string;
  readonly content: string;
  readonly replyTo?: string;
  /** Ids of uploads, at most ten. */
  readonly attachments?: string[];
  /** `durable`: answer when the history has it too, or after 8 s. */
  readonly level?: AckLevel;
}

/** Has no answer. */
export interface TypingFrame {
  readonly op: 'typing';
  readonly conversationId: string;
}

export interface ReadFrame {
  readonly op: 'read';
  readonly id: number;
  readonly conversationId: string;
  readonly seq: number;
}

export interface PingFrame {
  readonly op: 'ping';
  readonly id: number;
}

interface ChangeFrame {
  readonly id: number;
  readonly conversationId: string;
  readonly messageId: string;
  /** Where the message is in the log: saves the server a search. */
  readonly seq?: number;
}

/** Only the author of a message may. */
export interface EditFrame extends ChangeFrame {
  readonly op: 'edit';
  readonly content: string;
}

/** Only the author may. `erase`: its bytes are taken out of the log as well. */
export interface DeleteFrame extends ChangeFrame {
  readonly op: 'delete';
  readonly erase?: boolean;
}

export interface ReactFrame extends ChangeFrame {
  readonly op: 'react';
  readonly emoji: string;
}

export interface UnreactFrame extends ChangeFrame {
  readonly op: 'unreact';
  readonly emoji: string;
}

export interface PresenceFrame {
  readonly op: 'presence';
  readonly id: number;
  readonly userIds: string[];
}

/** What changes a message that is there already. It has no id of its own: the server cannot tell a repeat from a second one. */
export type MessageChangeFrame = EditFrame | DeleteFrame | ReactFrame | UnreactFrame;

/** Everything that a client sends. */
export type ClientFrame =
  | JoinFrame
  | LeaveFrame
  | SendFrame
  | TypingFrame
  | ReadFrame
  | PingFrame
  | MessageChangeFrame
  | PresenceFrame;

export interface JoinedFrame {
  readonly op: 'joined';
  readonly id: number;
  readonly conversationId: string;
  /** Sequence of the latest event at the time of joining. */
  readonly head: number;
  /** Names this incarnation of the log: sequences of different epochs cannot be compared. */
  readonly epoch: string;
}

/** Without a request's number: the user was removed from the conversation. */
export interface LeftFrame {
  readonly op: 'left';
  readonly id: number | null;
  readonly conversationId: string;
}

/** The answer to `send`, which has all fields, and to `read`, which need not. */
export interface AckFrame {
  readonly op: 'ack';
  readonly id: number;
  readonly messageId?: string;
  readonly seq?: number;
  readonly level?: AckLevel;
  /** True when the log had this message already. */
  readonly duplicate?: boolean;
}

export interface PongFrame {
  readonly op: 'pong';
  readonly id: number;
}

/** The answer to `edit`, `delete`, `react` and `unreact`: where the change is in the log. */
export interface ChangedFrame {
  readonly op: 'changed';
  readonly id: number;
  readonly messageId: string;
  readonly seq: number;
  readonly position: string;
  readonly at: string;
  /** Of an erasure: events whose bytes were taken out of the log. */
  readonly erased?: number;
}

/** Who is there, by user: `online` while at least one of their sockets is open. */
export type Presence = Readonly<Record<string, 'online' | 'offline'>>;

/** The answer to `presence`. */
export interface PresenceAnswerFrame {
  readonly op: 'presence';
  readonly id: number;
  readonly presence: Presence;
}

export interface EventFrame {
  readonly op: 'event';
  /** Position in the log: increasing within a conversation, with holes. */
  readonly seq: number;
  /** The `seq` of the event before it in the same conversation; 0 for the first. */
  readonly prev: number;
  readonly event: ChatEvent;
}

export interface ResyncFrame {
  readonly op: 'resync';
  readonly conversationId: string;
  readonly reason: 'epoch' | 'expired';
}

/** Somebody else is typing. */
export interface TypingNoticeFrame {
  readonly op: 'typing';
  readonly conversationId: string;
  readonly userId: string;
}

export interface DrainingFrame {
  readonly op: 'draining';
  readonly retryAfterMs: number;
}

/** `id` is null when the server could not make out which request it was. */
export interface ErrorFrame {
  readonly op: 'error';
  readonly id: number | null;
  readonly code: string;
  readonly detail?: string;
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
  readonly errors?: readonly FieldProblem[];
}

/** What is wrong with one field of a request. */
export interface FieldProblem {
  /** Where, as in `participantIds.3`; empty for the request itself. */
  readonly path: string;
  readonly reason: string;
}

/** Everything that the server sends. */
export type ServerFrame =
  | JoinedFrame
  | LeftFrame
  | AckFrame
  | PongFrame
  | ChangedFrame
  | PresenceAnswerFrame
  | EventFrame
  | ResyncFrame
  | TypingNoticeFrame
  | DrainingFrame
  | ErrorFrame;
