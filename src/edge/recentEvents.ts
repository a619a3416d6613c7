import type { LinkedEvent } from './linkedEvent.ts';

export interface RecentEventsOptions {
  readonly eventsMax: number;
  readonly bytesMax: number;
}

/** The remembered events of one conversation, oldest first, as a chain. */
interface Chain {
  first: LinkedEvent;
  last: LinkedEvent;
}

/**
 * The newest events of the log, of all conversations, in a ring bounded by number and by bytes: where nearly every client
 * that was away for a moment finds what it missed, without asking the log.
 *
 * Invariant: it holds every event of the log from {@link RecentEvents.from} on up to the last one added, because the tail
 * adds each event in order. So a conversation's events behind a sequence at or after `from` are all here, or there
 * are none.
 */
export class RecentEvents {
  readonly #options: RecentEventsOptions;
  readonly #ring: (LinkedEvent | undefined)[];
  readonly #chains = new Map<string, Chain>();
  #head = 0;
  #size = 0;
  #bytes = 0;
  #from = Number.POSITIVE_INFINITY;
  #to = 0;

  constructor(options: RecentEventsOptions) {
    this.#options = options;
    this.#ring = new Array(options.eventsMax);
  }

  /** Forgets everything and starts over: the events added from now on are all that the log holds from `from` on. */
  begin(from: number): void {
    while (this.#size > 0) this.#forgetOldest();
    this.#from = from;
    this.#to = from - 1;
  }

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** From this sequence on, everything is here. */
  get from(): number {
    return this.#from;
  }

  /** The last event added; what the log holds behind it is not here yet. */
  get to(): number {
    return this.#to;
  }

  add(event: LinkedEvent): void {
    while (this.#size > 0 && this.#isFull(event.bytes.length)) this.#forgetOldest();
    this.#ring[(this.#head + this.#size) % this.#options.eventsMax] = event;
    this.#size += 1;
    this.#bytes += event.bytes.length;
    this.#to = event.seq;
    const chain = this.#chains.get(event.conversationId);
    if (chain === undefined) {
      this.#chains.set(event.conversationId, { first: event, last: event });
    } else {
      // Nothing is missing in between: so this is the one before, known or not.
      event.prev ??= chain.last.seq;
      chain.last.next = event;
      chain.last = event;
    }
  }

  /**
   * The first event of a conversation behind `after`; its {@link LinkedEvent.next} leads on.
   *
   * @returns null when there is none; `unknown` when there may be some that are not here any more
   */
  firstAfter(conversationId: string, after: number): LinkedEvent | null | 'unknown' {
    if (after + 1 < this.#from) return 'unknown';
    let event = this.#chains.get(conversationId)?.first ?? null;
    while (event !== null && event.seq <= after) event = event.next;
    return event;
  }

  /** Links the oldest event of a conversation that is here, which alone may not know the one before it. */
  link(conversationId: string, seq: number, prev: number): void {
    const first = this.#chains.get(conversationId)?.first;
    if (first?.seq === seq) first.prev ??= prev;
  }

  /** The conversations that have events behind `after`; `unknown` as above. */
  conversationsAfter(after: number): ReadonlySet<string> | 'unknown' {
    if (after + 1 < this.#from) return 'unknown';
    const found = new Set<string>();
    for (const [conversationId, { last }] of this.#chains) if (last.seq > after) found.add(conversationId);
    return found;
  }

  #isFull(bytesMore: number): boolean {
    return this.#size === this.#options.eventsMax || this.#bytes + bytesMore > this.#options.bytesMax;
  }

  #forgetOldest(): void {
    const event = this.#ring[this.#head];
    if (event === undefined) throw new Error('The ring holds as many events as its size says');
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) % this.#options.eventsMax;
    this.#size -= 1;
    this.#bytes -= event.bytes.length;
    this.#from = event.seq + 1;
    const chain = this.#chains.get(event.conversationId);
    if (chain === undefined) throw new Error('Every event in the ring is in a chain');
    if (event.next === null) this.#chains.delete(event.conversationId);
    else chain.first = event.next;
  }
}
