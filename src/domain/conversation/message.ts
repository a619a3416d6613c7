import type {
  Attachment,
  ErasedMessage,
  MessageDeleted,
  MessageEdited,
  MessageEvent,
  MessagePosted,
  ReactionAdded,
  ReactionRemoved,
} from './events.ts';

/** What its own events have made of a message. Reactions are kept apart, see {@link Reaction}. */
export interface Message {
  /** Where it was posted. */
  readonly seq: number;
  /** Its author. */
  readonly userId: string;
  /** Empty once erased. */
  readonly clientMessageId: string;
  /** Empty once deleted, or when there are attachments alone. */
  readonly content: string;
  readonly replyTo: string | null;
  /** None once deleted. */
  readonly attachments: readonly Attachment[];
  readonly at: string;
  readonly editedAt: string | null;
  readonly deletedAt: string | null;
}

/** Kinds of reactions to one message, at most: they are shown with the message wherever it is shown. */
export const REACTION_KINDS_MAX = 50;

export type ReactionEvent = ReactionAdded | ReactionRemoved;

/** Events after which a message may be another one. */
export type MessageChange = Exclude<MessageEvent, ReactionEvent>;

/**
 * The message after an event. The same object comes back when the event changes nothing.
 *
 * | event \ message | `null` | there | deleted |
 * | --- | --- | --- | --- |
 * | MessagePosted | posted | the same: the first one counts | the same |
 * | MessageEdited | `null` | edited | the same |
 * | MessageDeleted | `null` | deleted | the same: the first one counts |
 * | MessageDeleted, `erased` | erased, as the event says of it | erased | erased: the last one counts |
 *
 * @param seq the event's place in the log
 */
export function evolveMessage(message: Message | null, event: MessageChange, seq: number): Message | null {
  switch (event.type) {
    case 'MessagePosted':
      return message ?? posted(event, seq);
    case 'MessageEdited':
      return edited(message, event);
    case 'MessageDeleted':
      return event.erased === undefined ? deleted(message, event) : erased(message, event.erased, event);
    default:
      return event satisfies never;
  }
}

function posted(event: MessagePosted, seq: number): Message {
  const { userId, clientMessageId, content, replyTo, attachments, at } = event;
  return { seq, userId, clientMessageId, content, replyTo, attachments, at, editedAt: null, deletedAt: null };
}

function edited(message: Message | null, { content, at }: MessageEdited): Message | null {
  if (message === null || message.deletedAt !== null) return message;
  return { ...message, content, editedAt: at };
}

function deleted(message: Message | null, { at }: MessageDeleted): Message | null {
  if (message === null || message.deletedAt !== null) return message;
  return { ...message, content: '', attachments: [], deletedAt: at };
}

/** Without the message, whose own event may be gone from the log by now, the tombstone says where and whose it was. */
function erased(
  message: Message | null,
  tombstone: ErasedMessage,
  { at: deletedAt }: MessageDeleted,
): Message {
  const { seq, userId, replyTo, at } = message ?? tombstone;
  const nothing = { clientMessageId: '', content: '', attachments: [], editedAt: null };
  return { seq, userId, replyTo, at, ...nothing, deletedAt };
}

/** What became of one user's reaction of one kind to a message. */
export interface Reaction {
  readonly emoji: string;
  readonly userId: string;
  /** Where it was added; `null`: it was taken back. */
  readonly seq: number | null;
}

/**
 * The reaction after an event. Adding it again keeps its place; adding it after it was taken back is a new one.
 *
 * @param seq the event's place in the log
 */
export function evolveReaction(reaction: Reaction | null, event: ReactionEvent, seq: number): Reaction {
  const { type, emoji, userId } = event;
  if (type === 'ReactionRemoved') return { emoji, userId, seq: null };
  return { emoji, userId, seq: reaction?.seq ?? seq };
}

export function isReactionEvent(event: MessageEvent): event is ReactionEvent {
  return event.type === 'ReactionAdded' || event.type === 'ReactionRemoved';
}

/** Whether reactions to a message count: a deleted message has none, from before its deletion or after. */
export function takesReactions(message: Message): boolean {
  return message.deletedAt === null;
}

/** Names a reaction among those to its message. */
export function reactionKey({ emoji, userId }: { emoji: string; userId: string }): string {
  return `${emoji}\0${userId}`;
}
