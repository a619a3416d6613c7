import type { MessageView } from '../../contracts/http/answers/messages.ts';
import type { ChatEvent } from '../../domain/conversation/events.ts';
import {
  evolveMessage,
  evolveReaction,
  isReactionEvent,
  type Message,
  REACTION_KINDS_MAX,
  type Reaction,
  reactionKey,
  takesReactions,
} from '../../domain/conversation/message.ts';

interface FoldedMessage {
  readonly message: Message;
  /** By emoji and user. */
  readonly reactions: Map<string, Reaction>;
}

/**
 * Messages as the events of a stretch of the log make them, the same as the read model `history` shows. Events come in the
 * order of the log. Events about messages that were posted before the stretch change nothing.
 */
export class MessageFold {
  readonly #after: number;
  readonly #messages = new Map<string, FoldedMessage>();

  /** @param after the stretch begins after this sequence */
  constructor(after: number) {
    this.#after = after;
  }

  /** Messages so far, deleted ones included. */
  get size(): number {
    return this.#messages.size;
  }

  add(seq: number, event: ChatEvent): void {
    if ('state' in event) return;
    const known = this.#messages.get(event.messageId);
    if (isReactionEvent(event)) {
      if (known === undefined || !takesReactions(known.message)) return;
      const key = reactionKey(event);
      known.reactions.set(key, evolveReaction(known.reactions.get(key) ?? null, event, seq));
      return;
    }
    const message = evolveMessage(known?.message ?? null, event, seq);
    // A tombstone names the place of a message that was erased from the log; that may be before the stretch.
    if (message === null || message.seq <= this.#after) return;
    this.#messages.set(event.messageId, { message, reactions: known?.reactions ?? new Map() });
  }

  /** In the order of their sequences. */
  messages(): MessageView[] {
    return [...this.#messages]
      .sort(([, a], [, b]) => a.message.seq - b.message.seq)
      .map(([messageId, folded]) => toView(messageId, folded));
  }
}

function toView(messageId: string, { message, reactions }: FoldedMessage): MessageView {
  const { seq, userId, content, replyTo, attachments, editedAt, deletedAt, at } = message;
  const shown = takesReactions(message) ? reactionsView(reactions.values()) : {};
  return { messageId, seq, userId, content, replyTo, attachments, reactions: shown, editedAt, deletedAt, at };
}

/**
 * The emoji that was there first comes first, and its users in the order in which they reacted. Kinds beyond the limit,
 * which only logs of earlier versions hold, are left out.
 */
function reactionsView(reactions: Iterable<Reaction>): MessageView['reactions'] {
  const present = [...reactions].flatMap(({ emoji, userId, seq }) =>
    seq === null ? [] : [{ emoji, userId, seq }],
  );
  const users = new Map<string, string[]>();
  for (const { emoji, userId } of present.sort((a, b) => a.seq - b.seq)) {
    const known = users.get(emoji);
    if (known !== undefined) known.push(userId);
    else if (users.size < REACTION_KINDS_MAX) users.set(emoji, [userId]);
  }
  return Object.fromEntries(users);
}
