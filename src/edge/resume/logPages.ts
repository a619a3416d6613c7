import { LRUCache } from 'lru-cache';
import { asChatError } from '../../application/chatErrors.ts';
import { ConcurrencyLimit } from '../../application/concurrencyLimit.ts';
import type { ApplicationContext } from '../../application/context.ts';
import type { FollowedEvent } from '../../ports/eventFeed.ts';
import { readEvents } from '../../ports/readEvents.ts';
import { LinkedEvent } from '../linkedEvent.ts';
import type { ReplayBuffer } from './replayBuffer.ts';

/** A stretch of a conversation: all its events after `from`, up to and including `to`. */
export interface Page {
  readonly from: number;
  readonly to: number;
  readonly events: readonly LinkedEvent[];
}

export interface LogPagesOptions {
  readonly log: ApplicationContext['log'];
  readonly feed: ApplicationContext['feed'];
  readonly recent: ReplayBuffer;
  /** Concurrent reads of the log. Default 16. */
  readonly readsMax?: number;
}

const PAGE_EVENTS_MAX = 1_000;
const PAGE_BYTES_MAX = 1_024 * 1_024;
/** Pages are kept for clients that come a moment later, as after a network's hiccup, within these bounds. */
const KEPT_BYTES_MAX = 32 * 1_024 * 1_024;
const KEPT_MS = 5_000;
const KEPT_PER_CONVERSATION = 8;
/** Longest time between a tombstone and the removal of the last bytes. */
const ERASING_MS_MAX = 60_000;
/** Reads that may be queued. */
const QUEUED_MAX = 20_000;

/**
 * Reads what the {@link ReplayBuffer} no longer holds from the log, a page at a time. Clients that ask for the same
 * conversation share one read: a page serves every client whose `after` lies within it, while it is being read and
 * for a moment afterwards. At most `readsMax` reads are in flight; the others are queued, within a bound.
 */
export class LogPages {
  readonly #options: LogPagesOptions;
  readonly #kept = new LRUCache<string, readonly Page[]>({
    maxSize: KEPT_BYTES_MAX,
    ttl: KEPT_MS,
    // Otherwise what nobody asks for again would stay until it is pushed out.
    ttlAutopurge: true,
    sizeCalculation: (pages) => pages.reduce((sum, { events }) => sum + bytesOf(events), 1),
  });
  /** Conversations being erased: their pages are not kept. */
  readonly #beingErased = new LRUCache<string, true>({ max: 10_000, ttl: ERASING_MS_MAX });
  readonly #inFlight = new Map<string, { from: number; page: Promise<Page | null> }[]>();
  readonly #limit: ConcurrencyLimit;

  constructor(options: LogPagesOptions) {
    this.#options = options;
    const overloaded = 'Too many clients are catching up; try again in a moment.';
    this.#limit = new ConcurrencyLimit({
      activeMax: options.readsMax ?? 16,
      queuedMax: QUEUED_MAX,
      overloaded,
    });
  }

  /** Reads of the log in flight. */
  get reads(): number {
    return this.#limit.active;
  }

  /**
   * A page that begins at or before `after` and reaches beyond it.
   *
   * @param until the conversation's head: reading ends there
   * @returns null when the log no longer reaches back that far
   * @throws ChatError log_unavailable or overloaded
   */
  async read(conversationId: string, after: number, until: number): Promise<Page | null> {
    const kept = this.#kept.get(conversationId)?.find(({ from, to }) => from <= after && after < to);
    if (kept !== undefined) return kept;
    for (const { from, page } of this.#inFlight.get(conversationId) ?? []) {
      if (from > after) continue;
      const shared = await page.catch(() => null);
      if (shared !== null && after < shared.to) return shared;
    }
    return this.#share(conversationId, after, this.#read(conversationId, after, until));
  }

  /** Drops a conversation's pages: something in them is being erased, and reads in flight may still have met it. */
  forget(conversationId: string): void {
    this.#beingErased.set(conversationId, true);
    this.#kept.delete(conversationId);
  }

  async #share(conversationId: string, from: number, page: Promise<Page | null>): Promise<Page | null> {
    const entry = { from, page };
    const others = this.#inFlight.get(conversationId) ?? [];
    this.#inFlight.set(conversationId, [...others, entry]);
    try {
      const read = await page;
      if (read !== null) this.#keep(conversationId, read);
      return read;
    } finally {
      const left = (this.#inFlight.get(conversationId) ?? []).filter((other) => other !== entry);
      if (left.length > 0) this.#inFlight.set(conversationId, left);
      else this.#inFlight.delete(conversationId);
    }
  }

  #keep(conversationId: string, page: Page): void {
    if (!this.#beingErased.has(conversationId)) {
      const pages = this.#kept.get(conversationId) ?? [];
      this.#kept.set(conversationId, [...pages.slice(1 - KEPT_PER_CONVERSATION), page]);
    }
    for (const { seq, prev } of page.events) this.#options.recent.link(conversationId, seq, prev);
  }

  #read(conversationId: string, after: number, until: number): Promise<Page | null> {
    return this.#limit.run(async () => {
      try {
        const { firstSeq } = await this.#options.log.status();
        // Before the log's first event there may have been others; an empty log says 1 or 0.
        if (firstSeq > 1 && after + 1 < firstSeq) return null;
        return await this.#readPage(conversationId, after, until);
      } catch (error) {
        throw asChatError(error);
      }
    });
  }

  async #readPage(conversationId: string, after: number, until: number): Promise<Page> {
    const { log, feed } = this.#options;
    let prev = after === 0 ? 0 : await previousSeq({ log, feed }, conversationId, after);
    const events: LinkedEvent[] = [];
    let bytes = 0;
    for await (const event of readEvents(feed, { conversationId, after, until })) {
      events.push(new LinkedEvent(detached(event), prev));
      prev = event.seq;
      bytes += event.bytes.length;
      if (events.length === PAGE_EVENTS_MAX || bytes >= PAGE_BYTES_MAX) {
        return { from: after, to: event.seq, events };
      }
    }
    return { from: after, to: until, events };
  }
}

/** Length of the first scan backwards; each further one is sixteen times as long. */
const SCAN_BACK_EVENTS = 64;

/**
 * The sequence of the conversation's last event at or before `seq`; 0 when there is none. Nearly always that is the event
 * at `seq` itself. Otherwise stretches that grow backwards are scanned, without payloads: a busy conversation has
 * an event in a short stretch, a quiet one has few in a long one, so this stays cheap for any `seq`.
 */
async function previousSeq(
  { log, feed }: Pick<ApplicationContext, 'log' | 'feed'>,
  conversationId: string,
  seq: number,
): Promise<number> {
  if ((await log.at(seq))?.conversationId === conversationId) return seq;
  for (let stretch = SCAN_BACK_EVENTS; ; stretch *= 16) {
    const after = Math.max(0, seq - stretch);
    let last = 0;
    const range = { conversationId, after, until: seq, headersOnly: true };
    for await (const event of readEvents(feed, range)) last = event.seq;
    if (last > 0 || after === 0) return last;
  }
}

/** A copy of the bytes: those that came are a view of a buffer that holds much more. */
function detached({ seq, conversationId, category, storedAtMs, bytes }: FollowedEvent) {
  return { seq, conversationId, category, storedAtMs, bytes: Uint8Array.prototype.slice.call(bytes) };
}

/** Bytes held by a page: the events as stored and, once sent, as frames. */
function bytesOf(events: readonly LinkedEvent[]): number {
  return events.reduce((sum, { bytes }) => sum + 2 * bytes.length + EVENT_OVERHEAD_BYTES, 0);
}

const EVENT_OVERHEAD_BYTES = 256;
