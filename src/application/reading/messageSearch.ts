import { ChatError } from '../../contracts/errors.ts';
import type { EventFeed } from '../../ports/eventFeed.ts';
import type { EventLog } from '../../ports/eventLog.ts';
import type { MessagePlace, MessagePlaces } from '../../ports/messagePlaces.ts';
import { ConcurrencyLimit } from '../concurrencyLimit.ts';
import { orElse } from '../orElse.ts';
import { searchByKey } from './searchByKey.ts';

export interface MessageSearchOptions {
  readonly log: Pick<EventLog, 'latest'>;
  readonly feed: EventFeed;
  /** Events of a conversation that are gone through, at most. Default 100,000. */
  readonly eventsMax?: number;
  /** How long one search of the log may take, in milliseconds. Default 2,000. */
  readonly searchMsMax?: number;
}

/** Searches of the log at a time, and of one user, at most. */
const SEARCHES_MAX = 4;
const SEARCHES_PER_USER_MAX = 2;
const OTHERS_OF_USER =
  'Other messages are searched for already; send the message’s seq along, or try again in a moment.';
/** Searches that wait, at most, and for how long, in milliseconds. */
const QUEUED_MAX = 100;
const QUEUED_MS_MAX = 3_000;
/** How long the read model may take before the log is asked, in milliseconds. */
const PLACES_MS_MAX = 500;
/** How far back in the log the first read goes; each further one goes sixteen times as far. */
const FIRST_STRETCH = 256;

/**
 * Finds where a message is in the log when a client does not say. The history is asked first, and then only what is
 * newer than the history is searched. While it is away, or in a process without a database, the log is searched backwards from
 * its end, by idempotency keys alone (a message's key is its id), payloads left out: most people change what they just said.
 *
 * How far, how long and how many at a time is bounded, because anybody may ask for messages that do not exist.
 */
export class MessageSearch {
  readonly #options: Required<MessageSearchOptions>;
  readonly #searches = new ConcurrencyLimit({
    activeMax: SEARCHES_MAX,
    queuedMax: QUEUED_MAX,
    queuedMsMax: QUEUED_MS_MAX,
    overloaded: 'Too many messages are searched for; send the message’s seq along, or try again in a moment.',
  });
  /** Searches of each user that run or wait; nobody is in it without one. */
  readonly #byUser = new Map<string, number>();
  #places: MessagePlaces | null = null;

  constructor(options: MessageSearchOptions) {
    this.#options = { eventsMax: 100_000, searchMsMax: 2_000, ...options };
  }

  /** Asks this before the log from now on. */
  usePlaces(places: MessagePlaces): void {
    this.#places = places;
  }

  /**
   * The sequence of the conversation's message with that id; `null` when it has none.
   *
   * @param userId who asks
   * @throws ChatError overloaded; database_unavailable when only the database could tell. What the log throws
   */
  async seqOf(conversationId: string, messageId: string, userId: string): Promise<number | null> {
    const place = await this.placeOf(conversationId, messageId);
    if (place !== null && 'seq' in place) return place.seq;
    return this.bounded(userId, () => this.#search(conversationId, messageId, place?.missingUpTo ?? 0));
  }

  /** Where the read model has a message; null when it does not answer in time. */
  async placeOf(conversationId: string, messageId: string): Promise<MessagePlace | null> {
    if (this.#places === null) return null;
    const place = this.#places.find(conversationId, messageId).catch(() => null);
    return orElse(place, PLACES_MS_MAX, null);
  }

  /**
   * Runs what goes through much of a conversation, with few others of its kind at a time.
   *
   * @param userId who asks
   * @throws ChatError overloaded
   */
  async bounded<T>(userId: string, search: () => Promise<T>): Promise<T> {
    const running = this.#byUser.get(userId) ?? 0;
    if (running >= SEARCHES_PER_USER_MAX)
      throw new ChatError('overloaded', OTHERS_OF_USER, { retryAfterMs: 1_000 });
    this.#byUser.set(userId, running + 1);
    try {
      return await this.#searches.run(search);
    } finally {
      const left = (this.#byUser.get(userId) ?? 1) - 1;
      if (left === 0) this.#byUser.delete(userId);
      else this.#byUser.set(userId, left);
    }
  }

  async #search(conversationId: string, messageId: string, after: number): Promise<number | null> {
    const { eventsMax, searchMsMax } = this.#options;
    const search = { conversationId, key: messageId, after, firstStretch: FIRST_STRETCH };
    const found = await searchByKey(this.#options, { ...search, eventsMax, searchMsMax });
    if (found === 'spent') throw tooFarBack();
    return found;
  }
}

function tooFarBack(): ChatError {
  const detail =
    'The message is not among the latest of its conversation, and the database does not say where it is. ' +
    'Send its seq along, or try again later.';
  return new ChatError('database_unavailable', detail);
}
