import { LRUCache } from 'lru-cache';
import { tryDecodeEvent } from '../../contracts/events/events.ts';
import type { KnownKinds, TargetMessage } from '../../domain/conversation/commands.ts';
import { REACTION_KINDS_MAX } from '../../domain/conversation/message.ts';
import type { EventFeed } from '../../ports/eventFeed.ts';
import { type EventLog, LogUnavailableError } from '../../ports/eventLog.ts';
import { readEvents } from '../../ports/readEvents.ts';
import { holdsText } from '../holdsText.ts';
import { MessageFold } from '../reading/messageFold.ts';

/** Messages whose kinds are kept in memory. */
const MESSAGES_MAX = 5_000;
/** How far after a message its reactions are looked for: events of its conversation, and milliseconds. */
const EVENTS_MAX = 5_000;
const SEARCH_MS_MAX = 1_000;

export interface MessageInLog {
  readonly conversationId: string;
  readonly messageId: string;
  readonly seq: number;
}

/** A kind that is about to be added. Until it is settled it counts. */
export interface KindReservation {
  /** The kinds of before. */
  readonly kinds: KnownKinds;
  /** @param seq where it was stored; null: it was not */
  settle(seq: number | null): void;
}

interface Entry {
  /** Where each kind was found or added last. */
  stored: Map<string, number>;
  /** Kinds whose append is in flight, and how many of each. */
  readonly pending: Map<string, number>;
  /** The read of the log that is in flight, which all who need it share. */
  reading: Promise<void> | null;
}

/**
 * Which kinds of reactions a message has, as far as a process knows without a read model.
 *
 * The log is read from the message on: once for each message, and again when the kinds seem to be too many, because some may
 * have been taken back. In between this process adds what it stored itself. It never knows less than it stored; it may miss what
 * others stored since, and what lies beyond {@link EVENTS_MAX} or {@link SEARCH_MS_MAX}. Readers show
 * {@link REACTION_KINDS_MAX} kinds in any case.
 */
export class ReactionKinds {
  readonly #log: Pick<EventLog, 'latest'>;
  readonly #feed: EventFeed;
  readonly #entries = new LRUCache<string, Entry>({ max: MESSAGES_MAX });

  constructor({ log, feed }: { readonly log: Pick<EventLog, 'latest'>; readonly feed: EventFeed }) {
    this.#log = log;
    this.#feed = feed;
  }

  async reserve(message: MessageInLog, emoji: string): Promise<KindReservation> {
    const entry = await this.#entryOf(message);
    if (!has(entry, emoji) && kindsOf(entry).size >= REACTION_KINDS_MAX) await this.#read(entry, message);
    // From here to the reservation nothing waits: requests at the same time count each other.
    const kinds = { count: kindsOf(entry).size, includesThis: has(entry, emoji) };
    entry.pending.set(emoji, (entry.pending.get(emoji) ?? 0) + 1);
    return { kinds, settle: (seq) => settle(entry, emoji, seq) };
  }

  async #entryOf(message: MessageInLog): Promise<Entry> {
    const known = this.#entries.get(message.messageId);
    const entry = known ?? { stored: new Map(), pending: new Map(), reading: null };
    if (known === undefined) {
      this.#entries.set(message.messageId, entry);
      await this.#read(entry, message);
    } else await entry.reading;
    return entry;
  }

  #read(entry: Entry, message: MessageInLog): Promise<void> {
    entry.reading ??= this.#readLog(entry, message).finally(() => {
      entry.reading = null;
    });
    return entry.reading;
  }

  async #readLog(entry: Entry, message: MessageInLog): Promise<void> {
    const found = await this.#search(message).catch((cause: unknown) => {
      // The append has the same log to ask, and says what is wrong with it.
      if (!(cause instanceof LogUnavailableError)) throw cause;
      this.#entries.delete(message.messageId);
      return null;
    });
    if (found === null) return;
    const { kinds, until, complete } = found;
    const kept = [...entry.stored].filter(([, seq]) => !complete || seq > until);
    entry.stored = new Map([...kinds.map((kind) => [kind, until] as const), ...kept]);
  }

  async #search({ conversationId, messageId, seq }: MessageInLog) {
    const until = (await this.#log.latest(conversationId, 'message'))?.seq ?? seq;
    const range = { conversationId, category: 'message', after: seq - 1, until } as const;
    const fold = new MessageFold(seq - 1);
    const endMs = performance.now() + SEARCH_MS_MAX;
    let left = EVENTS_MAX;
    for await (const { bytes, seq: at } of readEvents(this.#feed, { ...range, timeoutMs: SEARCH_MS_MAX })) {
      const event = holdsText(bytes, messageId) ? tryDecodeEvent(bytes, at, { skipUnknown: true }) : null;
      if (event !== null && 'messageId' in event && event.messageId === messageId) fold.add(at, event);
      left -= 1;
      if (left === 0 || performance.now() > endMs) break;
    }
    const complete = left > 0 && performance.now() <= endMs;
    return { kinds: Object.keys(fold.messages()[0]?.reactions ?? {}), until, complete };
  }
}

/** Names what {@link ReactionKinds} asks about. */
export function inLog(conversationId: string, target: NonNullable<TargetMessage>): MessageInLog {
  return { conversationId, messageId: target.messageId, seq: target.seq };
}

function has({ stored, pending }: Entry, emoji: string): boolean {
  return stored.has(emoji) || pending.has(emoji);
}

function kindsOf({ stored, pending }: Entry): Set<string> {
  return new Set([...stored.keys(), ...pending.keys()]);
}

function settle(entry: Entry, emoji: string, seq: number | null): void {
  const left = (entry.pending.get(emoji) ?? 1) - 1;
  if (left === 0) entry.pending.delete(emoji);
  else entry.pending.set(emoji, left);
  if (seq !== null) entry.stored.set(emoji, seq);
}
