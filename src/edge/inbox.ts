import type { ConversationStore } from '../application/conversations/conversationStore.ts';
import { decodeEvent } from '../contracts/events/events.ts';
import type { StoredEvent } from '../ports/eventLog.ts';
import type { ClientSocket } from './transport.ts';

/** A client that follows all conversations of its user. */
export interface InboxSubscriber {
  readonly socket: ClientSocket;
  /** Something happened after `after` in a conversation of the user. May be called more than once. */
  follow(conversationId: string, after: number): void;
  /** It is no longer known what was missed. */
  loseInbox(): void;
}

export interface InboxOptions {
  readonly conversations: Pick<ConversationStore, 'cached' | 'load'>;
  readonly onFault: (error: unknown) => void;
}

/** Conversations remembered as followed by all clients that should follow them. */
const CHECKED_MAX = 100_000;
/** Conversations whose participants may be waited for. */
const OWED_MAX = 10_000;

/**
 * Makes clients that follow their inbox follow every conversation of theirs in which something happens, from then on like
 * any other. Without such clients an event costs nothing here; with some, a lookup, and at the first event of a
 * conversation (or when its participants or the clients change) a check of its participants.
 */
export class Inbox {
  readonly #options: InboxOptions;
  readonly #subscribers = new Map<string, Set<InboxSubscriber>>();
  readonly #checked = new Set<string>();
  /** Conversations whose participants are not known yet, and after which sequence something happened. */
  readonly #owed = new Map<string, number>();
  readonly #loading = new Set<string>();

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  /** Users whose inbox is followed here. */
  get users(): number {
    return this.#subscribers.size;
  }

  add(subscriber: InboxSubscriber): void {
    const { userId } = subscriber.socket;
    const subscribers = this.#subscribers.get(userId) ?? new Set();
    this.#subscribers.set(userId, subscribers.add(subscriber));
    this.#checked.clear();
  }

  remove(subscriber: InboxSubscriber): void {
    const { userId } = subscriber.socket;
    const subscribers = this.#subscribers.get(userId);
    subscribers?.delete(subscriber);
    if (subscribers?.size === 0) this.#subscribers.delete(userId);
  }

  /** A client no longer follows the conversation: its next event is checked again. */
  forget(conversationId: string): void {
    this.#checked.delete(conversationId);
  }

  /** Takes the next event of the log's tail, after the hub has it. */
  accept(event: StoredEvent): void {
    if (this.#subscribers.size === 0) return;
    const { conversationId, seq } = event;
    if (event.category === 'message' && this.#checked.has(conversationId)) return;
    const participants = this.#participants(event);
    if (participants !== null) return this.#notify(conversationId, participants, seq - 1);
    if (!this.#owed.has(conversationId)) this.#owed.set(conversationId, seq - 1);
    if (this.#owed.size > OWED_MAX) this.#giveUp();
    else if (!this.#loading.has(conversationId)) void this.#load(conversationId);
  }

  /** Checks one conversation for one client. */
  async check(conversationId: string, subscriber: InboxSubscriber, after: number): Promise<void> {
    const { state } = await this.#options.conversations.load(conversationId);
    if (state?.participantIds.includes(subscriber.socket.userId)) subscriber.follow(conversationId, after);
  }

  #participants(event: StoredEvent): readonly string[] | null {
    if (event.category === 'conversation') {
      const decoded = decodeEvent(event.bytes, event.seq);
      return 'state' in decoded ? decoded.state.participantIds : null;
    }
    return this.#options.conversations.cached(event.conversationId)?.state?.participantIds ?? null;
  }

  /** After a fault the conversation's next event tries again, from where this one began. */
  async #load(conversationId: string): Promise<void> {
    this.#loading.add(conversationId);
    try {
      const { state } = await this.#options.conversations.load(conversationId);
      this.#notify(conversationId, state?.participantIds ?? [], Number.POSITIVE_INFINITY);
    } catch (error) {
      this.#options.onFault(error);
    } finally {
      this.#loading.delete(conversationId);
    }
  }

  #giveUp(): void {
    this.#owed.clear();
    for (const subscribers of [...this.#subscribers.values()]) {
      for (const subscriber of [...subscribers]) subscriber.loseInbox();
    }
  }

  #notify(conversationId: string, participants: readonly string[], after: number): void {
    if (this.#checked.size >= CHECKED_MAX) this.#checked.clear();
    this.#checked.add(conversationId);
    const from = Math.min(after, this.#owed.get(conversationId) ?? after);
    this.#owed.delete(conversationId);
    for (const userId of participants) {
      for (const subscriber of this.#subscribers.get(userId) ?? []) subscriber.follow(conversationId, from);
    }
  }
}
