import type {
  AddParticipants,
  AddReaction,
  ArchiveConversation,
  ConversationCommand,
  CreateConversation,
  DeleteMessage,
  EditMessage,
  MessageCommand,
  PostMessage,
  RemoveParticipants,
  RemoveReaction,
  RenameConversation,
} from './commands.ts';
import type { ConversationEvent, MessageEvent } from './events.ts';
import { REACTION_KINDS_MAX } from './message.ts';
import { type Rejection, reject } from './rejections.ts';
import {
  type Conversation,
  type ConversationState,
  isParticipant,
  maySee,
  PARTICIPANTS_MAX,
} from './state.ts';

/**
 * What follows from a command: the event that says so, a refusal, or `null` when everything already is as wanted
 * (a rename to the same title, adding somebody who is there). One command gives at most one event, because one
 * append is what the log stores atomically.
 */
export type Decision<E> = E | Rejection | null;

export function decideConversation(
  state: Conversation,
  command: ConversationCommand,
): Decision<ConversationEvent> {
  if (command.type === 'CreateConversation') return create(state, command);
  if (state === null || !maySee(state, command.userId)) {
    // Anybody may come into an open conversation; a closed one looks like none at all.
    return reject('ConversationNotFound');
  }
  switch (command.type) {
    case 'RenameConversation':
      return rename(state, command);
    case 'ArchiveConversation':
      return archive(state, command);
    case 'AddParticipants':
      return addParticipants(state, command);
    case 'RemoveParticipants':
      return removeParticipants(state, command);
    default:
      return unreachable(command);
  }
}

export function decideMessage(state: Conversation, command: MessageCommand): Decision<MessageEvent> {
  if (state === null) return reject('ConversationNotFound');
  if (!maySee(state, command.userId) && !reachesIn(command)) return reject('ConversationNotFound');
  if (state.archived && !takesBack(command)) return reject('ConversationIsArchived');
  switch (command.type) {
    case 'PostMessage':
      return post(command);
    case 'EditMessage':
      return edit(command);
    case 'DeleteMessage':
      return remove(command);
    case 'AddReaction':
      return addReaction(command);
    case 'RemoveReaction':
      return react(command);
    default:
      return unreachable(command);
  }
}

/** Nothing new goes into an archived conversation; taking one's own words back stays possible. */
function takesBack({ type }: MessageCommand): boolean {
  return type === 'DeleteMessage' || type === 'RemoveReaction';
}

/** What is erased is erased from outside too: authors have left, and operators were never in. */
function reachesIn(command: MessageCommand): boolean {
  if (command.type !== 'DeleteMessage') return false;
  const { by, erase, target, userId } = command;
  return by === 'operator' || (erase && target !== null && target.authorId === userId);
}

function create(state: Conversation, command: CreateConversation): Decision<ConversationEvent> {
  if (state !== null) return reject('ConversationAlreadyExists');
  const participantIds = [...new Set([command.userId, ...command.participantIds])];
  if (participantIds.length > PARTICIPANTS_MAX) return reject('TooManyParticipants');
  const { title, visibility, userId: createdBy, at: createdAt } = command;
  const created = { title, visibility, participantIds, createdBy, createdAt, archived: false };
  return { type: 'ConversationCreated', ...envelope(command), state: created };
}

function rename(state: ConversationState, command: RenameConversation): Decision<ConversationEvent> {
  if (!isParticipant(state, command.userId)) return reject('NotAParticipant');
  if (state.title === command.title) return null;
  return { type: 'ConversationRenamed', ...envelope(command), state: { ...state, title: command.title } };
}

function archive(state: ConversationState, command: ArchiveConversation): Decision<ConversationEvent> {
  if (!isParticipant(state, command.userId)) return reject('NotAParticipant');
  if (state.archived === command.archived) return null;
  return {
    type: 'ConversationArchived',
    ...envelope(command),
    state: { ...state, archived: command.archived },
  };
}

function addParticipants(state: ConversationState, command: AddParticipants): Decision<ConversationEvent> {
  const added = [...new Set(command.participantIds)].filter((id) => !isParticipant(state, id));
  const onlyThemselves = added.every((id) => id === command.userId);
  // An open conversation may be joined by anyone, but only those inside bring others along.
  if (!isParticipant(state, command.userId) && !onlyThemselves) return reject('NotAParticipant');
  if (added.length === 0) return null;
  const participantIds = [...state.participantIds, ...added];
  if (participantIds.length > PARTICIPANTS_MAX) return reject('TooManyParticipants');
  const event = { type: 'ParticipantAdded', ...envelope(command), participantIds: added } as const;
  return { ...event, state: { ...state, participantIds } };
}

function removeParticipants(
  state: ConversationState,
  command: RemoveParticipants,
): Decision<ConversationEvent> {
  if (!isParticipant(state, command.userId)) return reject('NotAParticipant');
  const removed = [...new Set(command.participantIds)].filter((id) => isParticipant(state, id));
  if (removed.length === 0) return null;
  const gone = new Set(removed);
  const participantIds = state.participantIds.filter((id) => !gone.has(id));
  const event = { type: 'ParticipantRemoved', ...envelope(command), participantIds: removed } as const;
  return { ...event, state: { ...state, participantIds } };
}

/** Spelt out instead of spread: this runs for every message. */
function post(command: PostMessage): MessageEvent {
  return {
    type: 'MessagePosted',
    v: 1,
    messageId: command.messageId,
    conversationId: command.conversationId,
    userId: command.userId,
    clientMessageId: command.clientMessageId,
    content: command.content,
    replyTo: command.replyTo,
    attachments: command.attachments,
    at: command.at,
  };
}

function edit(command: EditMessage): Decision<MessageEvent> {
  const { target } = command;
  if (target === null) return reject('MessageNotFound');
  if (target.authorId !== command.userId) return reject('NotTheAuthor');
  const event = { type: 'MessageEdited', ...envelope(command), messageId: target.messageId } as const;
  return { ...event, content: command.content };
}

function remove(command: DeleteMessage): Decision<MessageEvent> {
  const { target } = command;
  if (target === null) return reject('MessageNotFound');
  if (command.by === 'author' && target.authorId !== command.userId) return reject('NotTheAuthor');
  const event = { type: 'MessageDeleted', ...envelope(command), messageId: target.messageId } as const;
  if (!command.erase) return event;
  const { seq, authorId: userId, replyTo, at } = target;
  return { ...event, erased: { seq, userId, replyTo, at } };
}

/** A kind that is there already takes any number of users. */
function addReaction(command: AddReaction): Decision<MessageEvent> {
  const { count, includesThis } = command.kinds;
  const isOneTooMany = !includesThis && count >= REACTION_KINDS_MAX;
  return isOneTooMany && command.target !== null ? reject('TooManyReactionKinds') : react(command);
}

/** Whether the user has reacted so before is not asked: a second time changes nothing. */
function react({ target, ...command }: AddReaction | RemoveReaction): Decision<MessageEvent> {
  if (target === null) return reject('MessageNotFound');
  const type = command.type === 'AddReaction' ? 'ReactionAdded' : 'ReactionRemoved';
  return { type, ...envelope(command), messageId: target.messageId, emoji: command.emoji };
}

function envelope(command: { conversationId: string; userId: string; at: string }) {
  const { conversationId, userId, at } = command;
  return { v: 1, conversationId, userId, at } as const;
}

function unreachable(value: never): never {
  throw new Error(`Unhandled command: ${JSON.stringify(value)}`);
}
