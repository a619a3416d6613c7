import { LRUCache } from 'lru-cache';
import type { EventFeed } from '../../ports/eventFeed.ts';
import type { EventLog } from '../../ports/eventLog.ts';
import { orElse } from '../orElse.ts';
import { searchByKey } from '../reading/searchByKey.ts';

/** Whether a process has a message in memory. `false` says nothing. */
export type HasInMemory = (conversationId: string, messageId: string) => boolean;

export interface ReplyTargetsParts {
  readonly log: Pick<EventLog, 'latest'>;
  readonly feed: EventFeed;
}

/** Messages that were found, by id. */
const KNOWN_MAX = 10_000;
/** How long the log is searched, in milliseconds, and by how many requests at a time. */
const SEARCH_MS_MAX = 500;
const SEARCHES_MAX = 32;
/** How far back in the log the first read goes; each further one goes sixteen times as far. */
const FIRST_STRETCH_EVENTS = 4_096;

/**
 * Whether a reply replies to a message of its conversation: memory first, then the headers of the log, the newest first,
 * because most replies are to what was said just now. What cannot be said in time is not known, and then the reply is taken: one
 * that names nothing does less harm than one that is lost.
 */
export class ReplyTargets {
  readonly #parts: ReplyTargetsParts;
  readonly #known = new LRUCache<string, string>({ max: KNOWN_MAX });
  #hasInMemory: HasInMemory = () => false;
  #searches = 0;

  constructor(parts: ReplyTargetsParts) {
    this.#parts = parts;
  }

  /** Asks this first from now on. */
  useMemory(hasInMemory: HasInMemory): void {
    this.#hasInMemory = hasInMemory;
  }

  /** @returns `missing` only when the whole conversation has no such message: it is not there, or was erased */
  async find(conversationId: string, messageId: string): Promise<'found' | 'missing' | 'unknown'> {
    if (this.#known.get(messageId) === conversationId) return 'found';
    if (this.#hasInMemory(conversationId, messageId)) return 'found';
    if (this.#searches >= SEARCHES_MAX) return 'unknown';
    this.#searches += 1;
    const found = await this.#inTime(conversationId, messageId);
    if (found === 'found') this.#known.set(messageId, conversationId);
    return found;
  }

  /** Ends in time whatever the log does. A search that goes on for longer still counts among those at a time. */
  #inTime(conversationId: string, messageId: string): Promise<'found' | 'missing' | 'unknown'> {
    const search = this.#search(conversationId, messageId)
      // The append asks the same log, and says what is wrong with it.
      .catch(() => 'unknown' as const)
      .finally(() => {
        this.#searches -= 1;
      });
    return orElse(search, SEARCH_MS_MAX, 'unknown');
  }

  async #search(conversationId: string, messageId: string): Promise<'found' | 'missing' | 'unknown'> {
    const search = { conversationId, key: messageId, firstStretch: FIRST_STRETCH_EVENTS };
    const found = await searchByKey(this.#parts, { ...search, searchMsMax: SEARCH_MS_MAX });
    if (found === 'spent') return 'unknown';
    return found === null ? 'missing' : 'found';
  }
}
