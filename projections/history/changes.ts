import type {
  ChatEvent,
  ConversationEvent,
  ErasedMessage,
  MessageDeleted,
  MessageEdited,
  MessagePosted,
  ReactionAdded,
  ReactionRemoved,
} from '../../src/domain/conversation/events.ts';
import type { ConversationState } from '../../src/domain/conversation/state.ts';
import type { Batch } from '../runner/projection.ts';

/** What a batch of events amounts to in the read model. Each list is in the order of the log. */
export interface HistoryChanges {
  /** The last state of each conversation that changed. */
  readonly conversations: readonly ConversationChange[];
  /** The last thing that happened to each participant. */
  readonly participants: readonly ParticipantChange[];
  /**
   * The first event of each message id, and any that claims an id that is another message's; whether an id is new is
   * decided against the table.
   */
  readonly posted: readonly { seq: number; event: MessagePosted }[];
  /** The last edit of each message that comes before any deletion of it. */
  readonly edited: readonly { seq: number; event: MessageEdited }[];
  /** The first deletion of each message. */
  readonly deleted: readonly { seq: number; event: MessageDeleted }[];
  /** The last erasure of each message. */
  readonly erased: readonly { event: MessageDeleted; message: ErasedMessage }[];
  /** What became of each reaction: to which message, of which kind, by whom. */
  readonly reactions: readonly ReactionChange[];
}

export interface ConversationChange {
  readonly id: string;
  readonly state: ConversationState;
  readonly seq: number;
}

export interface ParticipantChange {
  readonly conversationId: string;
  readonly userId: string;
  readonly member: boolean;
  /** Sequence of the event that says so. */
  readonly seq: number;
}

export interface ReactionChange {
  readonly messageId: string;
  readonly emoji: string;
  readonly userId: string;
  /** Whether what was there before goes. */
  readonly removed: boolean;
  /** Since when it is there; `null`: it is not. */
  readonly seq: number | null;
}

/** Reduces events to row changes. Pure, and the outcome does not depend on how the log is cut into batches. */
export function projectHistory({ events }: Pick<Batch, 'events'>): HistoryChanges {
  const fold = new Fold();
  for (const { seq, event } of events) fold.add(seq, event);
  return fold.changes();
}

class Fold {
  readonly #conversations = new Map<string, ConversationChange>();
  readonly #participants = new Map<string, ParticipantChange>();
  readonly #posted = new Map<string, { seq: number; event: MessagePosted }>();
  readonly #edited = new Map<string, { seq: number; event: MessageEdited }>();
  readonly #deleted = new Map<string, { seq: number; event: MessageDeleted }>();
  readonly #erased = new Map<string, { event: MessageDeleted; message: ErasedMessage }>();
  readonly #reactions = new Map<string, ReactionChange>();

  add(seq: number, event: ChatEvent): void {
    switch (event.type) {
      case 'MessagePosted':
        return this.#post(seq, event);
      case 'MessageEdited':
        if (!this.#deleted.has(event.messageId)) this.#edited.set(event.messageId, { seq, event });
        return;
      case 'MessageDeleted':
        if (!this.#deleted.has(event.messageId)) this.#deleted.set(event.messageId, { seq, event });
        if (event.erased !== undefined) this.#erased.set(event.messageId, { event, message: event.erased });
        return;
      case 'ReactionAdded':
      case 'ReactionRemoved':
        return this.#react(seq, event);
      default:
        return this.#change(seq, event);
    }
  }

  changes(): HistoryChanges {
    return {
      conversations: [...this.#conversations.values()],
      participants: [...this.#participants.values()],
      posted: [...this.#posted.values()],
      edited: [...this.#edited.values()],
      deleted: [...this.#deleted.values()],
      erased: [...this.#erased.values()],
      reactions: [...this.#reactions.values()],
    };
  }

  #post(seq: number, event: MessagePosted): void {
    const { messageId } = event;
    // A repeat that comes after the erasure brings nothing back.
    if (this.#erased.has(messageId)) return;
    const known = this.#posted.get(messageId);
    if (known === undefined) this.#posted.set(messageId, { seq, event });
    else if (!isRepeat(event, known.event)) this.#posted.set(`${messageId}\0${seq}`, { seq, event });
  }

  /** Adding again keeps the first time; adding after removing is a new one. */
  #react(seq: number, { type, messageId, emoji, userId }: ReactionAdded | ReactionRemoved): void {
    const key = `${messageId}\0${userId}\0${emoji}`;
    const known = this.#reactions.get(key);
    const change =
      type === 'ReactionRemoved'
        ? { removed: true, seq: null }
        : { removed: known?.removed ?? false, seq: known?.seq ?? seq };
    this.#reactions.set(key, { messageId, emoji, userId, ...change });
  }

  #change(seq: number, event: ConversationEvent): void {
    const { conversationId: id, state } = event;
    this.#conversations.set(id, { id, state, seq });
    for (const change of participantChanges(event, seq)) {
      this.#participants.set(`${change.conversationId}\0${change.userId}`, change);
    }
  }
}

export interface NumberedMessage {
  readonly seq: number;
  readonly event: MessagePosted;
  /** Of its conversation among these, from 1. */
  readonly place: number;
  /** Which one of its conversation it is among these: 1, 2, 3, … */
  readonly nth: number;
}

/**
 * Messages by conversation, and in the order of the log within each. In the order of the conversations' ids, because two of
 * the indexes begin with it: what goes into the same page goes in together.
 */
export function numbered(posted: HistoryChanges['posted']): {
  rows: NumberedMessage[];
  /** Each once. */
  conversationIds: string[];
} {
  const byConversation = new Map<string, { seq: number; event: MessagePosted }[]>();
  for (const message of posted) {
    const known = byConversation.get(message.event.conversationId);
    if (known === undefined) byConversation.set(message.event.conversationId, [message]);
    else known.push(message);
  }
  const conversationIds = [...byConversation.keys()].sort();
  const rows = conversationIds.flatMap((id, index) =>
    (byConversation.get(id) ?? []).map(({ seq, event }, n) => ({ seq, event, place: index + 1, nth: n + 1 })),
  );
  return { rows, conversationIds };
}

/** What makes a message this one; its id is derived from it. */
export type MessageIdentity = Pick<MessagePosted, 'conversationId' | 'userId' | 'clientMessageId'>;

/** Whether the author sent the same message again, whatever it says now: the first one counts. */
export function isRepeat(message: MessageIdentity, first: MessageIdentity): boolean {
  return (
    message.conversationId === first.conversationId &&
    message.userId === first.userId &&
    // Erasure leaves none.
    (message.clientMessageId === first.clientMessageId || first.clientMessageId === '')
  );
}

function participantChanges(event: ConversationEvent, seq: number): ParticipantChange[] {
  const { conversationId } = event;
  const all = (userIds: readonly string[], member: boolean) =>
    userIds.map((userId) => ({ conversationId, userId, member, seq }));
  switch (event.type) {
    case 'ConversationCreated':
      return all(event.state.participantIds, true);
    case 'ParticipantAdded':
      return all(event.participantIds, true);
    case 'ParticipantRemoved':
      return all(event.participantIds, false);
    case 'ConversationRenamed':
    case 'ConversationArchived':
      return [];
  }
}
