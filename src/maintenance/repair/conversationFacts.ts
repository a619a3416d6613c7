import { readConversation } from '../../application/reading/readEvents.ts';
import { CorruptedEventError, decodeEvent } from '../../contracts/events/events.ts';
import type { Attachment, ChatEvent, MessageEvent } from '../../domain/conversation/events.ts';
import type { ConversationState } from '../../domain/conversation/state.ts';
import type { EventFeed } from '../../ports/eventFeed.ts';

/** What a message is, as the read model shows it. */
export interface MessageFacts {
  readonly messageId: string;
  readonly userId: string;
  /** Empty when the message was erased. */
  readonly clientMessageId: string;
  /** Empty once deleted. */
  readonly content: string;
  readonly replyTo: string | null;
  readonly attachments: readonly Attachment[];
  readonly at: string;
  readonly editedAt: string | null;
  readonly deletedAt: string | null;
  readonly reactions: readonly { readonly emoji: string; readonly userId: string }[];
}

/** What a conversation is in the log, and when the log stored what made it so, in milliseconds since 1970. */
export interface LoggedConversation {
  state: { readonly value: ConversationState; readonly seq: number; readonly storedAtMs: number } | null;
  readonly messages: Map<string, LoggedMessage>;
}

export interface LoggedMessage {
  /** Where it was posted. */
  readonly seq: number;
  readonly authorId: string;
  readonly replyTo: string | null;
  readonly at: string;
  content: string;
  editedAt: string | null;
  deleted: boolean;
  changedAtMs: number;
  readonly reactions: Map<string, LoggedReaction>;
}

export interface LoggedReaction {
  readonly emoji: string;
  readonly userId: string;
  readonly present: boolean;
  readonly changedAtMs: number;
}

export function reactionKey({ emoji, userId }: { emoji: string; userId: string }): string {
  return `${emoji}\0${userId}`;
}

/**
 * Folds all events of one conversation. About 300 bytes of memory for each message.
 *
 * @throws LogUnavailableError
 */
export async function readLoggedConversation(
  feed: EventFeed,
  conversationId: string,
  until: number,
): Promise<LoggedConversation> {
  const facts = emptyLog();
  const range = { conversationId, after: 0, until, timeoutMs: 30_000 };
  for await (const { bytes, seq, storedAtMs } of readConversation(feed, range)) {
    const event = decoded(bytes, seq);
    if (event !== null) foldLogged(facts, event, { seq, storedAtMs });
  }
  return facts;
}

export function emptyLog(): LoggedConversation {
  return { state: null, messages: new Map() };
}

/** Takes note of the next event. */
export function foldLogged(
  facts: LoggedConversation,
  event: ChatEvent,
  at: { seq: number; storedAtMs: number },
): void {
  if ('state' in event) facts.state = { value: event.state, ...at };
  else foldMessage(facts.messages, event, at);
}

function foldMessage(
  messages: Map<string, LoggedMessage>,
  event: MessageEvent,
  { seq, storedAtMs: changedAtMs }: { seq: number; storedAtMs: number },
): void {
  const known = messages.get(event.messageId);
  switch (event.type) {
    case 'MessagePosted': {
      if (known !== undefined) return;
      const { userId: authorId, replyTo, at, content } = event;
      const fresh = { editedAt: null, deleted: false, changedAtMs, reactions: new Map() };
      messages.set(event.messageId, { seq, authorId, replyTo, at, content, ...fresh });
      return;
    }
    case 'MessageEdited':
      if (known === undefined || known.deleted) return;
      return void Object.assign(known, { content: event.content, editedAt: event.at, changedAtMs });
    case 'MessageDeleted': {
      if (known !== undefined) return void Object.assign(known, { content: '', deleted: true, changedAtMs });
      if (event.erased === undefined) return;
      const { seq: postedSeq, userId: authorId, replyTo, at } = event.erased;
      const gone = { content: '', editedAt: null, deleted: true, changedAtMs, reactions: new Map() };
      messages.set(event.messageId, { seq: postedSeq, authorId, replyTo, at, ...gone });
      return;
    }
    default: {
      const { emoji, userId } = event;
      const present = event.type === 'ReactionAdded';
      known?.reactions.set(reactionKey(event), { emoji, userId, present, changedAtMs });
    }
  }
}

/** An event that cannot be read says nothing, here as in the read model. */
function decoded(bytes: Uint8Array, seq: number): ChatEvent | null {
  try {
    return decodeEvent(bytes, seq);
  } catch (error) {
    if (error instanceof CorruptedEventError) return null;
    throw error;
  }
}
