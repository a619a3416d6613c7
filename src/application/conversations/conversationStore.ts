import { LRUCache } from 'lru-cache';
import { decodeEvent } from '../../contracts/events/events.ts';
import type { ConversationEvent } from '../../domain/conversation/events.ts';
import { type Conversation, type ConversationState, evolve } from '../../domain/conversation/state.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog, StoredEvent } from '../../ports/eventLog.ts';
import type { Lookups } from '../../ports/lookups.ts';
import type { SharedConversation, SharedConversations } from '../../ports/sharedConversations.ts';
import { RecentChanges } from './recentChanges.ts';

/** A conversation and the sequence of the event that made it so: the expected version for its next change. */
export interface LoadedConversation {
  readonly state: Conversation;
  /** 0 when the conversation does not exist. */
  readonly version: number;
}

interface Existing extends LoadedConversation {
  readonly state: ConversationState;
}

/** How long an entry stays in the shared cache, from when the log certainly said so, in milliseconds. */
const SHARED_MS_MAX = 60_000;

export interface ConversationStoreOptions {
  /** How many conversations stay in memory, and how many changes of any are remembered. Default 50,000. */
  readonly cachedMax?: number;
  /** Where other processes' reads are found, and this one's are left. Default: nowhere. */
  readonly shared?: { readonly conversations: SharedConversations; readonly clock: Clock } | undefined;
}

/**
 * Conversations by id. Reads the latest event of a conversation from the log and keeps the outcome in a bounded
 * cache, which the tail of the log keeps fresh through {@link ConversationStore.observe}. What is cached can
 * therefore be some milliseconds old: good enough to allow something, never enough to refuse it (a refusal is
 * taken again on {@link ConversationStore.loadFresh}), and a change is guarded by its expected version anyway.
 * "Does not exist" is never cached.
 *
 * What another process left in the shared cache says up to which sequence of the log it holds. It goes into this cache
 * only if the tail has passed everything after that sequence and no later change was among it: then it is as good as
 * read from the log. Otherwise it serves once, for {@link ConversationStore.shared}.
 */
export class ConversationStore {
  readonly #log: EventLog;
  readonly #cache: LRUCache<string, Existing>;
  readonly #shared: ConversationStoreOptions['shared'];
  readonly #recent: RecentChanges;
  readonly #loading = new Map<string, Promise<LoadedConversation>>();
  readonly #asking = new Map<string, Promise<LoadedConversation | undefined>>();
  /** The log that the tail runs in; `null` when it is not known to be the one that is read. */
  #tailEpoch: string | null = null;
  /** Counts how often everything was forgotten: what was asked before is not remembered after. */
  #clears = 0;
  /** How often {@link ConversationStore.cached} was asked, by what it found. */
  readonly lookups: Lookups = { hit: 0, miss: 0, error: 0 };

  constructor(log: EventLog, options: ConversationStoreOptions = {}) {
    const cachedMax = options.cachedMax ?? 50_000;
    this.#log = log;
    this.#cache = new LRUCache({ max: cachedMax });
    this.#shared = options.shared;
    this.#recent = new RecentChanges(cachedMax);
  }

  /** Conversations in memory. */
  get size(): number {
    return this.#cache.size;
  }

  /** What is known without asking anybody. */
  cached(conversationId: string): LoadedConversation | undefined {
    const known = this.#cache.get(conversationId);
    if (known === undefined) this.lookups.miss += 1;
    else this.lookups.hit += 1;
    return known;
  }

  /**
   * What other processes know, without asking the log. It can be a minute old: good enough to allow something and for
   * nothing else. `undefined` when there is no shared cache, or nothing in it.
   */
  async shared(conversationId: string): Promise<LoadedConversation | undefined> {
    if (this.#shared === undefined) return undefined;
    const inFlight = this.#asking.get(conversationId);
    if (inFlight !== undefined) return inFlight;
    const asking = this.#ask(conversationId, this.#shared.conversations).finally(() =>
      this.#asking.delete(conversationId),
    );
    this.#asking.set(conversationId, asking);
    return asking;
  }

  async load(conversationId: string): Promise<LoadedConversation> {
    const known = this.cached(conversationId);
    if (known !== undefined) return known;
    if (this.#shared === undefined) return this.loadFresh(conversationId);
    await this.shared(conversationId);
    return this.#cache.get(conversationId) ?? this.loadFresh(conversationId);
  }

  /** Asks the log, once for all who ask for the same conversation at the same time. */
  loadFresh(conversationId: string): Promise<LoadedConversation> {
    const inFlight = this.#loading.get(conversationId);
    if (inFlight !== undefined) return inFlight;
    const loading = this.#read(conversationId).finally(() => this.#loading.delete(conversationId));
    this.#loading.set(conversationId, loading);
    return loading;
  }

  /** The tail begins, in the log of this epoch: every event after `after` will be observed. */
  tailBegins(epoch: string, after: number): void {
    this.#recent.begin(after);
    this.#tailEpoch = epoch;
  }

  /**
   * Takes note of an event that passed on the tail; only conversations that are cached are kept fresh. One whose event
   * this version cannot read is forgotten: the next question about it goes to the log, and fails there where it shows.
   */
  observe(event: StoredEvent): void {
    this.#recent.note(event);
    const { conversationId, seq } = event;
    if (event.category !== 'conversation' || !this.#cache.has(conversationId)) return;
    try {
      const decoded = decodeEvent(event.bytes, seq);
      if ('state' in decoded) this.remember(conversationId, decoded, seq);
    } catch {
      this.#cache.delete(conversationId);
    }
  }

  /** Takes note of a change and shares it. A change older than the known one changes nothing. */
  remember(conversationId: string, event: ConversationEvent, seq: number): void {
    const known = this.#cache.get(conversationId);
    const found = { state: evolve(known?.state ?? null, event), version: seq, asOfSeq: seq };
    this.#admit(conversationId, found);
    const { epoch } = this.#log;
    // It was decided before it was stored; and what is old already, such as what is imported, is not shared.
    if (this.#tailEpoch === epoch) this.#share(epoch, conversationId, found, Date.parse(event.at));
  }

  /** Forgets everything, for when the tail may have missed something. */
  clear(): void {
    this.#cache.clear();
    this.#recent.clear();
    this.#tailEpoch = null;
    this.#clears += 1;
  }

  /**
   * Caches what is certainly not older than what the tail has passed: it keeps fresh what is cached, not what is on its
   * way here meanwhile. Without a tail there is nothing to compare with.
   */
  #admit(conversationId: string, { state, version, asOfSeq }: SharedConversation): void {
    if (this.#recent.latest(conversationId) > version) return;
    if (this.#tailEpoch !== null && !this.#recent.completeAfter(asOfSeq)) return;
    const known = this.#cache.get(conversationId)?.version ?? 0;
    if (known < version) this.#cache.set(conversationId, { state, version });
  }

  async #read(conversationId: string): Promise<LoadedConversation> {
    const clears = this.#clears;
    const { epoch } = this.#log;
    const { position } = this.#recent;
    const nowMs = this.#shared?.clock.nowMs() ?? 0;
    const stored = await this.#log.latest(conversationId, 'conversation');
    if (stored === null) return { state: null, version: 0 };
    const { seq } = stored;
    const event = decodeEvent(stored.bytes, seq);
    if (!('state' in event)) throw new Error(`Event ${seq} lies in the wrong category`);
    const { state } = event;
    const found = { state, version: seq, asOfSeq: Math.max(seq, position) };
    // What was read from a log that has been replaced meanwhile is nobody's business any more.
    if (clears === this.#clears && epoch === this.#log.epoch) {
      this.#admit(conversationId, found);
      this.#share(epoch, conversationId, found, nowMs);
    }
    return { state, version: seq };
  }

  async #ask(
    conversationId: string,
    conversations: SharedConversations,
  ): Promise<LoadedConversation | undefined> {
    const clears = this.#clears;
    const { epoch } = this.#log;
    const found = await conversations.get(epoch, conversationId);
    if (found === null || clears !== this.#clears || epoch !== this.#log.epoch) return undefined;
    if (found.version < this.#recent.latest(conversationId)) return undefined;
    if (this.#tailEpoch === epoch) this.#admit(conversationId, found);
    return this.#cache.get(conversationId) ?? { state: found.state, version: found.version };
  }

  #share(epoch: string, conversationId: string, found: SharedConversation, asOfMs: number): void {
    this.#shared?.conversations.put(epoch, conversationId, found, asOfMs + SHARED_MS_MAX);
  }
}
