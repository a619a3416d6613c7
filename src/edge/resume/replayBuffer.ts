import type { StoredEvent } from '../../ports/eventLog.ts';
import { type EventBytes, LinkedEvent } from '../linkedEvent.ts';

export interface ReplayBufferOptions {
  readonly eventsMax: number;
  readonly bytesMax: number;
}

/** The slots of one conversation's oldest and newest event; those between are linked in `#older` and `#newer`. */
interface Chain {
  readonly conversationId: string;
  oldest: number;
  newest: number;
}

const NONE = -1;
/** In `#prevs`: the event before is not known. */
const UNKNOWN = -1;

/**
 * The newest events of the log, of all conversations, in a ring bounded by number and by bytes. Nearly every client that
 * was away for a moment resumes from here, without a read of the log.
 *
 * Every event of the log comes through here, and nearly none is ever read. So an event is no object: its bytes are copied
 * into one large buffer and its numbers into typed arrays, which costs the garbage collector nothing.
 *
 * Invariant: it holds every event of the log from {@link ReplayBuffer.from} on up to the last one added, because the tail
 * adds each event in order. So of a conversation's events from any sequence at or after `from` on, none is missing.
 */
export class ReplayBuffer {
  readonly #eventsMax: number;
  readonly #slab: Buffer;
  readonly #seqs: Float64Array;
  readonly #prevs: Float64Array;
  readonly #offsets: Uint32Array;
  readonly #lengths: Uint32Array;
  readonly #older: Int32Array;
  readonly #newer: Int32Array;
  readonly #chainOf: (Chain | undefined)[];
  readonly #chains = new Map<string, Chain>();
  /** Slot of the oldest event. */
  #first = 0;
  #size = 0;
  /** Where the next event's bytes go. */
  #tail = 0;
  #from = Number.POSITIVE_INFINITY;
  #to = 0;

  constructor({ eventsMax, bytesMax }: ReplayBufferOptions) {
    this.#eventsMax = eventsMax;
    this.#slab = Buffer.allocUnsafeSlow(bytesMax);
    this.#seqs = new Float64Array(eventsMax);
    this.#prevs = new Float64Array(eventsMax);
    this.#offsets = new Uint32Array(eventsMax);
    this.#lengths = new Uint32Array(eventsMax);
    this.#older = new Int32Array(eventsMax);
    this.#newer = new Int32Array(eventsMax);
    this.#chainOf = new Array(eventsMax);
  }

  /** Empties the buffer: the events added from now on are all that the log holds from `from` on. */
  begin(from: number): void {
    while (this.#size > 0) this.#forgetOldest();
    this.#from = from;
    this.#to = from - 1;
  }

  get size(): number {
    return this.#size;
  }

  /** From this sequence on, everything is here. */
  get from(): number {
    return this.#from;
  }

  /** The last event added; later ones of the log are not here yet. */
  get to(): number {
    return this.#to;
  }

  /** @param prev the event before it in its conversation; `null` when that is not known */
  add({ seq, conversationId, bytes }: StoredEvent, prev: number | null): void {
    this.#to = seq;
    if (this.#size === this.#eventsMax) this.#forgetOldest();
    if (!this.#makeRoom(bytes.length)) {
      // Larger than the whole buffer: later events can be held, this one cannot.
      this.#from = seq + 1;
      return;
    }
    const slot = (this.#first + this.#size) % this.#eventsMax;
    this.#size += 1;
    this.#slab.set(bytes, this.#tail);
    this.#seqs[slot] = seq;
    this.#offsets[slot] = this.#tail;
    this.#lengths[slot] = bytes.length;
    this.#tail += bytes.length;
    this.#append(slot, conversationId, prev ?? UNKNOWN);
  }

  /** Whether a conversation's events after `after` are all here, and each is linked. */
  hasAllAfter(conversationId: string, after: number): boolean {
    if (after + 1 < this.#from) return false;
    const slot = this.#firstAfter(conversationId, after);
    return slot === NONE || this.#prevs[slot] !== UNKNOWN;
  }

  /**
   * A conversation's events after `after`, oldest first. To be consumed in one turn of the event loop: an event added
   * meanwhile may overwrite those still to come.
   */
  *eventsAfter(conversationId: string, after: number): Generator<LinkedEvent, void, undefined> {
    let slot = this.#firstAfter(conversationId, after);
    for (; slot !== NONE; slot = this.#newer[slot] ?? NONE) {
      yield new LinkedEvent(this.#eventAt(slot, conversationId), this.#prevs[slot] ?? 0);
    }
  }

  /** A conversation's events that are here, newest first; to be consumed in one turn as well. */
  *newestOf(conversationId: string): Generator<EventBytes, void, undefined> {
    let slot = this.#chains.get(conversationId)?.newest ?? NONE;
    for (; slot !== NONE; slot = this.#older[slot] ?? NONE) yield this.#eventAt(slot, conversationId);
  }

  /** The bytes are a view: later bytes in the same place show through. */
  #eventAt(slot: number, conversationId: string): EventBytes {
    const offset = this.#offsets[slot] ?? 0;
    const bytes = this.#slab.subarray(offset, offset + (this.#lengths[slot] ?? 0));
    return { seq: this.#seqs[slot] ?? 0, conversationId, bytes };
  }

  /** Links the oldest event of a conversation that is here, which alone may not know the one before it. */
  link(conversationId: string, seq: number, prev: number): void {
    const slot = this.#chains.get(conversationId)?.oldest ?? NONE;
    if (slot !== NONE && this.#seqs[slot] === seq && this.#prevs[slot] === UNKNOWN) this.#prevs[slot] = prev;
  }

  /**
   * Overwrites a conversation's events from `from` on that hold what was erased, and links those around them to each other,
   * as the log has them now.
   */
  erase(conversationId: string, from: number, isErased: (event: EventBytes) => boolean): void {
    const chain = this.#chains.get(conversationId);
    if (chain === undefined) return;
    let slot = this.#firstAfter(conversationId, from - 1);
    while (slot !== NONE) {
      const newer = this.#newer[slot] ?? NONE;
      if (isErased(this.#eventAt(slot, conversationId))) this.#unlink(slot, chain);
      slot = newer;
    }
  }

  /** Conversations with events after `after`; `unknown` when some of them may be forgotten already. */
  conversationsAfter(after: number): ReadonlySet<string> | 'unknown' {
    if (after + 1 < this.#from) return 'unknown';
    const found = new Set<string>();
    for (const { conversationId, newest } of this.#chains.values()) {
      if ((this.#seqs[newest] ?? 0) > after) found.add(conversationId);
    }
    return found;
  }

  /** Scans from the newest backwards: a client that comes back has mostly missed little. */
  #firstAfter(conversationId: string, after: number): number {
    let found = NONE;
    let slot = this.#chains.get(conversationId)?.newest ?? NONE;
    for (; slot !== NONE && (this.#seqs[slot] ?? 0) > after; slot = this.#older[slot] ?? NONE) found = slot;
    return found;
  }

  #append(slot: number, conversationId: string, prev: number): void {
    this.#newer[slot] = NONE;
    let chain = this.#chains.get(conversationId);
    if (chain === undefined) {
      chain = { conversationId, oldest: slot, newest: slot };
      this.#chains.set(conversationId, chain);
      this.#older[slot] = NONE;
      this.#prevs[slot] = prev;
    } else {
      this.#older[slot] = chain.newest;
      this.#newer[chain.newest] = slot;
      // Nothing is missing in between: so the one before is the one before here.
      this.#prevs[slot] = prev === UNKNOWN ? (this.#seqs[chain.newest] ?? UNKNOWN) : prev;
      chain.newest = slot;
    }
    this.#chainOf[slot] = chain;
  }

  /**
   * Forgets what lies where the next bytes go. Bytes of an event are never split: what does not fit before the end of the
   * buffer goes to its beginning.
   */
  #makeRoom(bytes: number): boolean {
    if (bytes > this.#slab.length) {
      while (this.#size > 0) this.#forgetOldest();
      return false;
    }
    if (this.#tail + bytes > this.#slab.length) {
      while (this.#size > 0 && this.#oldestOffset() >= this.#tail) this.#forgetOldest();
      this.#tail = 0;
    }
    const end = this.#tail + bytes;
    while (this.#size > 0 && this.#oldestOffset() >= this.#tail && this.#oldestOffset() < end) {
      this.#forgetOldest();
    }
    return true;
  }

  #oldestOffset(): number {
    return this.#offsets[this.#first] ?? 0;
  }

  /** Takes an event out of its chain and overwrites it; the slot stays until it is the oldest. */
  #unlink(slot: number, chain: Chain): void {
    const [older, newer] = [this.#older[slot] ?? NONE, this.#newer[slot] ?? NONE];
    this.#eventAt(slot, chain.conversationId).bytes.fill(0);
    this.#chainOf[slot] = undefined;
    if (newer === NONE && older === NONE) this.#chains.delete(chain.conversationId);
    if (newer === NONE) chain.newest = older;
    else {
      this.#older[newer] = older;
      this.#prevs[newer] = this.#prevs[slot] ?? UNKNOWN;
    }
    if (older === NONE) chain.oldest = newer;
    else this.#newer[older] = newer;
  }

  #forgetOldest(): void {
    const slot = this.#first;
    const chain = this.#chainOf[slot];
    this.#chainOf[slot] = undefined;
    this.#first = (slot + 1) % this.#eventsMax;
    this.#size -= 1;
    this.#from = (this.#seqs[slot] ?? 0) + 1;
    // Of an erased event nothing is linked any more.
    if (chain === undefined) return;
    const newer = this.#newer[slot] ?? NONE;
    if (newer === NONE) {
      this.#chains.delete(chain.conversationId);
      return;
    }
    chain.oldest = newer;
    this.#older[newer] = NONE;
  }
}
