import { LRUCache } from 'lru-cache';
import { decodeEvent } from '../contracts/events.ts';
import type { ConversationEvent } from '../domain/conversation/events.ts';
import { type Conversation, type ConversationState, evolve } from '../domain/conversation/state.ts';
import type { EventLog, StoredEvent } from '../ports/eventLog.ts';

/** A conversation and the sequence of the event that made it so: the expected version for its next change. */
export interface LoadedConversation {
  readonly state: Conversation;
  /** 0 when the conversation does not exist. */
  readonly version: number;
}

interface Existing extends LoadedConversation {
  readonly state: ConversationState;
}

/**
 * Conversations by id. Reads the latest event of a conversation from the log and keeps the outcome in a bounded
 * cache, which the tail of the log keeps fresh through {@link ConversationStore.observe}. What is cached can
 * therefore be some milliseconds old: good enough to allow something, never enough to refuse it (a refusal is
 * taken again on {@link ConversationStore.loadFresh}), and a change is guarded by its expected version anyway.
 * "Does not exist" is never cached.
 */
export class ConversationStore {
  readonly #log: EventLog;
  readonly #cache: LRUCache<string, Existing>;
  readonly #loading = new Map<string, Promise<LoadedConversation>>();

  /** @param options.cachedMax how many conversations stay in memory; default 50,000 */
  constructor(log: EventLog, options: { cachedMax?: number } = {}) {
    this.#log = log;
    this.#cache = new LRUCache({ max: options.cachedMax ?? 50_000 });
  }

  /** What is known without asking the log. */
  cached(conversationId: string): LoadedConversation | undefined {
    return this.#cache.get(conversationId);
  }

  async load(conversationId: string): Promise<LoadedConversation> {
    return this.#cache.get(conversationId) ?? this.loadFresh(conversationId);
  }

  /** Asks the log, once for all who ask for the same conversation at the same time. */
  loadFresh(conversationId: string): Promise<LoadedConversation> {
    const underway = this.#loading.get(conversationId);
    if (underway !== undefined) return underway;
    const loading = this.#read(conversationId).finally(() => this.#loading.delete(conversationId));
    this.#loading.set(conversationId, loading);
    return loading;
  }

  /**
   * Takes note of an event that passed on the tail; only conversations that are cached are kept fresh. One whose event
   * this version cannot read is forgotten: the next question about it goes to the log, and fails there where it shows.
   */
  observe(event: StoredEvent): void {
    if (event.category !== 'conversation' || !this.#cache.has(event.conversationId)) return;
    try {
      const decoded = decodeEvent(event.bytes, event.seq);
      if ('state' in decoded) this.remember(event.conversationId, decoded, event.seq);
    } catch {
      this.#cache.delete(event.conversationId);
    }
  }

  /** Takes note of a change; an older one than is known changes nothing. */
  remember(conversationId: string, event: ConversationEvent, seq: number): void {
    const known = this.#cache.get(conversationId);
    if (known !== undefined && known.version >= seq) return;
    this.#cache.set(conversationId, { state: evolve(known?.state ?? null, event), version: seq });
  }

  /** Forgets everything, for when the tail may have missed something. */
  clear(): void {
    this.#cache.clear();
  }

  async #read(conversationId: string): Promise<LoadedConversation> {
    const stored = await this.#log.latest(conversationId, 'conversation');
    if (stored === null) return { state: null, version: 0 };
    const event = decodeEvent(stored.bytes, stored.seq);
    if (!('state' in event)) throw new Error(`Event ${stored.seq} lies in the wrong category`);
    this.remember(conversationId, event, stored.seq);
    return { state: event.state, version: stored.seq };
  }
}
