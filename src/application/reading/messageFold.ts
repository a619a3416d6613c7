import type { MessageView } from '../../contracts/http/answers/messages.ts';
import type {
  Attachment,
  ChatEvent,
  MessageDeleted,
  MessageEdited,
  MessagePosted,
  ReactionAdded,
  ReactionRemoved,
} from '../../domain/conversation/events.ts';

/** A message while its events are gone through. */
interface Draft {
  readonly messageId: string;
  readonly seq: number;
  readonly userId: string;
  readonly replyTo: string | null;
  readonly at: string;
  content: string;
  attachments: readonly Attachment[];
  editedAt: string | null;
  deletedAt: string | null;
  /** By emoji: who reacted with it, in the order in which they did, and where in the log. */
  readonly reactions: Map<string, Map<string, number>>;
}

/**
 * Messages as a reader of the log's events sees them: the same as the read model `history` shows, which a test holds
 * together. Events come in the order of the log; those about messages that were posted before the first of them are passed
 * over.
 */
export class MessageFold {
  readonly #after: number;
  readonly #drafts = new Map<string, Draft>();

  /** @param after the events that come are all those behind this sequence */
  constructor(after: number) {
    this.#after = after;
  }

  /** Messages so far, deleted ones included. */
  get size(): number {
    return this.#drafts.size;
  }

  add(seq: number, event: ChatEvent): void {
    switch (event.type) {
      case 'MessagePosted':
        return this.#post(seq, event);
      case 'MessageEdited':
        return this.#edit(event);
      case 'MessageDeleted':
        return this.#delete(event);
      case 'ReactionAdded':
      case 'ReactionRemoved':
        return this.#react(seq, event);
    }
  }

  /** In the order of their sequences. */
  messages(): MessageView[] {
    return [...this.#drafts.values()].sort((a, b) => a.seq - b.seq).map(toView);
  }

  /** The first event of a message counts; a repeat, also one that comes after an erasure, changes nothing. */
  #post(seq: number, event: MessagePosted): void {
    const { messageId, userId, replyTo, at, content, attachments } = event;
    if (this.#drafts.has(messageId)) return;
    this.#drafts.set(messageId, { ...fresh({ messageId, seq, userId, replyTo, at }), content, attachments });
  }

  #edit({ messageId, content, at }: MessageEdited): void {
    const draft = this.#drafts.get(messageId);
    if (draft === undefined || draft.deletedAt !== null) return;
    draft.content = content;
    draft.editedAt = at;
  }

  #delete({ messageId, at, erased }: MessageDeleted): void {
    const draft = this.#drafts.get(messageId) ?? this.#erasedBefore(messageId, erased);
    if (draft === null) return;
    // The first deletion is the one that counts, and an erasure after it counts again.
    if (draft.deletedAt === null || erased !== undefined) draft.deletedAt = at;
    if (erased !== undefined) draft.editedAt = null;
    draft.content = '';
    draft.attachments = [];
    draft.reactions.clear();
  }

  /** A message whose own event is gone from the log by now: its tombstone says where it was. */
  #erasedBefore(messageId: string, erased: MessageDeleted['erased']): Draft | null {
    if (erased === undefined || erased.seq <= this.#after) return null;
    const { seq, userId, replyTo, at } = erased;
    const draft = fresh({ messageId, seq, userId, replyTo, at });
    this.#drafts.set(messageId, draft);
    return draft;
  }

  #react(seq: number, { type, messageId, emoji, userId }: ReactionAdded | ReactionRemoved): void {
    const draft = this.#drafts.get(messageId);
    if (draft === undefined || draft.deletedAt !== null) return;
    const users = draft.reactions.get(emoji) ?? new Map<string, number>();
    if (type === 'ReactionRemoved') users.delete(userId);
    else if (!users.has(userId)) users.set(userId, seq);
    if (users.size > 0) draft.reactions.set(emoji, users);
    else draft.reactions.delete(emoji);
  }
}

function fresh(facts: Pick<Draft, 'messageId' | 'seq' | 'userId' | 'replyTo' | 'at'>): Draft {
  return { ...facts, content: '', attachments: [], editedAt: null, deletedAt: null, reactions: new Map() };
}

function toView(draft: Draft): MessageView {
  const { messageId, seq, userId, content, replyTo, attachments, editedAt, deletedAt, at } = draft;
  const reactions = reactionsView(draft.reactions);
  return { messageId, seq, userId, content, replyTo, attachments, reactions, editedAt, deletedAt, at };
}

/** The emoji that was there first comes first. */
function reactionsView(reactions: Draft['reactions']): MessageView['reactions'] {
  const oldest = (users: ReadonlyMap<string, number>) => Math.min(...users.values());
  const ordered = [...reactions].sort(([, a], [, b]) => oldest(a) - oldest(b));
  return Object.fromEntries(ordered.map(([emoji, users]) => [emoji, [...users.keys()]]));
}
