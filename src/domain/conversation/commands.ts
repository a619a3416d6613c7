import type { Attachment } from './events.ts';
import type { Visibility } from './state.ts';

/**
 * What somebody wants. Ids and the time are decided by the caller, because the domain has neither a clock nor
 * chance: the same command on the same state always gives the same events.
 */
interface CommandBase {
  readonly conversationId: string;
  /** Who wants it. Opaque and untrusted. */
  readonly userId: string;
  /** When, as ISO 8601, UTC, milliseconds. */
  readonly at: string;
}

export interface CreateConversation extends CommandBase {
  readonly type: 'CreateConversation';
  readonly title: string | null;
  readonly visibility: Visibility;
  /** The creator is always one of them, named here or not. */
  readonly participantIds: readonly string[];
}
export interface RenameConversation extends CommandBase {
  readonly type: 'RenameConversation';
  readonly title: string | null;
}
export interface ArchiveConversation extends CommandBase {
  readonly type: 'ArchiveConversation';
  /** False brings an archived conversation back. */
  readonly archived: boolean;
}
export interface AddParticipants extends CommandBase {
  readonly type: 'AddParticipants';
  readonly participantIds: readonly string[];
}
export interface RemoveParticipants extends CommandBase {
  readonly type: 'RemoveParticipants';
  readonly participantIds: readonly string[];
}
export interface PostMessage extends CommandBase {
  readonly type: 'PostMessage';
  readonly messageId: string;
  readonly clientMessageId: string;
  readonly content: string;
  readonly replyTo: string | null;
  readonly attachments: readonly Attachment[];
}

/** What is known of the message that a command is about; `null` when there is none. */
export type TargetMessage = {
  readonly messageId: string;
  readonly authorId: string;
  /** Where its `MessagePosted` is in the log. */
  readonly seq: number;
  readonly replyTo: string | null;
  readonly at: string;
} | null;

export interface EditMessage extends CommandBase {
  readonly type: 'EditMessage';
  readonly target: TargetMessage;
  readonly content: string;
}
export interface DeleteMessage extends CommandBase {
  readonly type: 'DeleteMessage';
  readonly target: TargetMessage;
  /** Its bytes are to be taken out of the log as well. */
  readonly erase: boolean;
  /** By which right: an operator takes back what anybody said, wherever that was. */
  readonly by: 'author' | 'operator';
}
/** The kinds of reactions to a message, as far as they are known. */
export interface KnownKinds {
  readonly count: number;
  /** Whether the kind in question is one of them. */
  readonly includesThis: boolean;
}

export interface AddReaction extends CommandBase {
  readonly type: 'AddReaction';
  readonly target: TargetMessage;
  /** One emoji or name, in its one spelling. */
  readonly emoji: string;
  readonly kinds: KnownKinds;
}
export interface RemoveReaction extends CommandBase {
  readonly type: 'RemoveReaction';
  readonly target: TargetMessage;
  readonly emoji: string;
}

export type ConversationCommand =
  | CreateConversation
  | RenameConversation
  | ArchiveConversation
  | AddParticipants
  | RemoveParticipants;

export type MessageCommand = PostMessage | EditMessage | DeleteMessage | AddReaction | RemoveReaction;

export type Command = ConversationCommand | MessageCommand;
