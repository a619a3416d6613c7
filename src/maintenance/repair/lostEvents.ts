import type { TargetMessage } from '../../domain/conversation/commands.ts';
import type { ChatEvent } from '../../domain/conversation/events.ts';
import { reactionKey } from '../../domain/conversation/message.ts';
import type { ConversationState } from '../../domain/conversation/state.ts';
import type { LoggedConversation, LoggedMessage, LoggedReaction, MessageFacts } from './conversationFacts.ts';

/** What a log has lost of one conversation, as far as the read model still knows it. */
export interface Loss {
  /** To be appended, in this order. */
  readonly events: readonly ChatEvent[];
  /** Messages that were erased and are in the log again: after the events, their bytes are to be taken out. */
  readonly erase: readonly NonNullable<TargetMessage>[];
  /** What was lost and is not brought back, because the conversation has moved on since: for people to read. */
  readonly left: readonly string[];
}

/** Stands for what a deleted message said, which nobody knows any more; it is deleted by the next event. */
const DELETED_CONTENT = '(deleted)';
/** Stands for the client's own id of a message that was erased. */
const ERASED_CLIENT_ID = 'erased';

/** Of which conversation, and when the log stored the last event that is in the read model (ms since 1970). */
export interface LossOf {
  readonly conversationId: string;
  readonly lastProjectedMs: number;
}

/** What must be appended for the log to say again who takes part in a conversation, and how it is called. */
export function lostState(of: LossOf, known: ConversationState, logged: LoggedConversation['state']): Loss {
  const finder = new LossFinder(of);
  finder.compareState(known, logged);
  return finder;
}

/**
 * What must be appended for the log to say again what was said. Where log and read model differ, the later one is right:
 * what the log stored after the read model last read from it was said after the loss, and stays.
 *
 * Facts come back, not the events: a message that was edited three times is posted as it read at last, and edited once.
 *
 * @param known messages of the conversation, in the order in which they were posted
 */
export function lostMessages(
  of: LossOf,
  known: readonly MessageFacts[],
  logged: LoggedConversation['messages'],
): Loss {
  const finder = new LossFinder(of);
  for (const message of known) finder.compareMessage(message, logged.get(message.messageId));
  return finder;
}

class LossFinder implements Loss {
  readonly events: ChatEvent[] = [];
  readonly erase: NonNullable<TargetMessage>[] = [];
  readonly left: string[] = [];
  readonly #conversationId: string;
  readonly #lastProjectedMs: number;

  constructor({ conversationId, lastProjectedMs }: LossOf) {
    this.#conversationId = conversationId;
    this.#lastProjectedMs = lastProjectedMs;
  }

  compareState(known: ConversationState, logged: LoggedConversation['state']): void {
    const base = this.#base(known.createdBy, known.createdAt);
    if (logged === null) return void this.events.push({ type: 'ConversationCreated', ...base, state: known });
    const events = this.#changes(known, logged.value);
    if (events.length === 0) return;
    if (this.#isLater(logged.storedAtMs)) {
      this.left.push('title, participants or archiving: they were changed again since');
    } else this.events.push(...events);
  }

  compareMessage(known: MessageFacts, logged: LoggedMessage | undefined): void {
    if (logged === undefined) this.#post(known);
    else if (known.deletedAt !== null) this.#delete(known, known.deletedAt, logged);
    else if (logged.deletedAt === null) this.#update(known, logged);
  }

  /** One event for each kind of change; each carries the state that its predecessors have made. */
  #changes(known: ConversationState, logged: ConversationState): ChatEvent[] {
    const base = this.#base(known.createdBy, new Date(this.#lastProjectedMs).toISOString());
    const added = known.participantIds.filter((id) => !logged.participantIds.includes(id));
    const removed = logged.participantIds.filter((id) => !known.participantIds.includes(id));
    const events: ChatEvent[] = [];
    let state = logged;
    if (added.length > 0) {
      state = { ...state, participantIds: [...state.participantIds, ...added] };
      events.push({ type: 'ParticipantAdded', ...base, participantIds: added, state });
    }
    if (removed.length > 0) {
      state = { ...state, participantIds: known.participantIds };
      events.push({ type: 'ParticipantRemoved', ...base, participantIds: removed, state });
    }
    if (known.archived !== logged.archived) {
      state = { ...state, archived: known.archived };
      events.push({ type: 'ConversationArchived', ...base, state });
    }
    if (known.title !== logged.title) {
      state = { ...state, title: known.title };
      events.push({ type: 'ConversationRenamed', ...base, state });
    }
    return events;
  }

  #post(known: MessageFacts): void {
    const { messageId, userId, replyTo, at, content, attachments, editedAt, deletedAt } = known;
    const base = { ...this.#base(userId, at), messageId };
    const clientMessageId = known.clientMessageId || ERASED_CLIENT_ID;
    const said =
      deletedAt === null ? { content, attachments } : { content: DELETED_CONTENT, attachments: [] };
    this.events.push({ type: 'MessagePosted', ...base, clientMessageId, replyTo, ...said });
    if (deletedAt !== null) {
      this.events.push({ type: 'MessageDeleted', ...base, at: deletedAt });
      return;
    }
    if (editedAt !== null) this.events.push({ type: 'MessageEdited', ...base, content, at: editedAt });
    for (const { emoji, userId: by } of known.reactions) {
      this.events.push({ type: 'ReactionAdded', ...base, userId: by, emoji });
    }
  }

  #delete(known: MessageFacts, deletedAt: string, logged: LoggedMessage): void {
    if (logged.deletedAt !== null) return;
    const { messageId, userId } = known;
    const base = { ...this.#base(userId, deletedAt), messageId };
    if (known.clientMessageId !== '') return void this.events.push({ type: 'MessageDeleted', ...base });
    const { seq, userId: authorId, replyTo, at } = logged;
    this.events.push({ type: 'MessageDeleted', ...base, erased: { seq, userId: authorId, replyTo, at } });
    this.erase.push({ messageId, authorId, seq, replyTo, at });
  }

  #update(known: MessageFacts, logged: LoggedMessage): void {
    const { messageId, userId, at, content, editedAt } = known;
    const base = { ...this.#base(userId, at), messageId };
    if (content !== logged.content || editedAt !== logged.editedAt) {
      if (this.#isLater(logged.changedAtMs))
        this.left.push(`an edit of ${messageId}: it was edited again since`);
      else this.events.push({ type: 'MessageEdited', ...base, at: editedAt ?? at, content });
    }
    for (const reaction of known.reactions) {
      const inLog = logged.reactions.get(reactionKey(reaction));
      if ((inLog?.seq ?? null) !== null || this.#isLater(inLog?.changedAtMs)) continue;
      this.events.push({ type: 'ReactionAdded', ...base, userId: reaction.userId, emoji: reaction.emoji });
    }
    for (const reaction of this.#takenBack(known, logged)) {
      this.events.push({ type: 'ReactionRemoved', ...base, userId: reaction.userId, emoji: reaction.emoji });
    }
  }

  #takenBack(known: MessageFacts, { reactions }: LoggedMessage): LoggedReaction[] {
    const there = new Set(known.reactions.map(reactionKey));
    return [...reactions.values()].filter(
      (reaction) =>
        reaction.seq !== null && !there.has(reactionKey(reaction)) && !this.#isLater(reaction.changedAtMs),
    );
  }

  #isLater(storedAtMs: number | undefined): boolean {
    return storedAtMs !== undefined && storedAtMs > this.#lastProjectedMs;
  }

  #base(userId: string, at: string) {
    return { v: 1 as const, conversationId: this.#conversationId, userId, at };
  }
}
