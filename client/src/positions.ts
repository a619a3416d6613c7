/** What an event is to a follower: the `next` one, a `repeat` of one it has, or one behind a `gap`. */
export type Verdict = 'next' | 'repeat' | 'gap';

/** What is checked of an event. */
export interface Link {
  readonly conversationId: string;
  readonly seq: number;
  readonly prev: number;
  /** True when nothing before it could be seen, as when the user was just let in. */
  readonly isEntrance: boolean;
}

/** How far a follower has come, and so what it lacks. */
export interface Positions {
  /** The highest sequence that was taken; null before anything is known. */
  readonly lastSeq: number | null;
  /** Everything behind it is wanted: what to join with. */
  readonly after: number | null;
  /** Whether an event behind a gap was seen and what is before it was not yet. */
  readonly hasGap: boolean;
  judge(link: Link): Verdict;
  /** Notes an event that was judged `next`. */
  take(link: Link): void;
  /** Begins behind `seq`, whatever was before. */
  reset(seq: number): void;
}

/** Of one conversation: every event is linked to the one before it by `prev`. */
export class ConversationPositions implements Positions {
  lastSeq: number | null;
  /** What is behind a gap is never taken, so whatever is taken closes it. */
  readonly hasGap = false;

  constructor(after: number | null) {
    this.lastSeq = after;
  }

  get after(): number | null {
    return this.lastSeq;
  }

  judge({ seq, prev }: Link): Verdict {
    // Before the answer to the first join nothing can be concluded: what comes is of an earlier subscription.
    if (this.lastSeq === null || seq <= this.lastSeq) return 'repeat';
    return prev > this.lastSeq ? 'gap' : 'next';
  }

  take({ seq }: Link): void {
    this.lastSeq = seq;
  }

  reset(seq: number): void {
    this.lastSeq = seq;
  }
}

/**
 * Conversations of an inbox reach the client each in order, but not one against the other: one may still be on its way when
 * a later event of another is here. So following goes on from somewhat before the highest; repeats are known as such.
 */
const OVERLAP = 1_000;

/**
 * Of all conversations of a user. Links hold within a conversation, so each has its own last sequence; the log's order is
 * common to all, so about the highest of them is where to go on. After a gap that is too far: then from the gap.
 *
 * A conversation of which nothing was seen yet has no link to check, except that nothing at or below the floor is wanted.
 * The floor is where following began, and rises when the quietest conversation is forgotten because there are too many: all
 * that are remembered are above it, so what is asked for again never reaches below.
 */
export class InboxPositions implements Positions {
  readonly #conversationsMax: number;
  /** Ordered by last event: the first is the quietest. */
  readonly #lastSeqs = new Map<string, number>();
  #floor: number | null;
  #highest: number | null;
  #gap: { readonly conversationId: string; readonly after: number } | null = null;

  constructor(after: number | null, conversationsMax: number) {
    this.#floor = after;
    this.#highest = after;
    this.#conversationsMax = conversationsMax;
  }

  get lastSeq(): number | null {
    return this.#highest;
  }

  get after(): number | null {
    if (this.#gap !== null || this.#highest === null) return this.#gap?.after ?? null;
    return Math.max(this.#floor ?? 0, this.#highest - OVERLAP);
  }

  get hasGap(): boolean {
    return this.#gap !== null;
  }

  judge({ conversationId, seq, prev, isEntrance }: Link): Verdict {
    if (this.#floor === null) return 'repeat';
    const known = this.#lastSeqs.get(conversationId);
    if (seq <= (known ?? this.#floor)) return 'repeat';
    if (known === undefined || prev <= known || isEntrance) return 'next';
    if (this.#gap === null || known < this.#gap.after) this.#gap = { conversationId, after: known };
    return 'gap';
  }

  take({ conversationId, seq }: Link): void {
    if (this.#gap?.conversationId === conversationId) this.#gap = null;
    this.#highest = Math.max(seq, this.#highest ?? 0);
    this.#lastSeqs.delete(conversationId);
    this.#lastSeqs.set(conversationId, seq);
    const [quietest] = this.#lastSeqs;
    if (this.#lastSeqs.size <= this.#conversationsMax || quietest === undefined) return;
    this.#lastSeqs.delete(quietest[0]);
    this.#floor = Math.max(this.#floor ?? 0, quietest[1]);
  }

  reset(seq: number): void {
    this.#lastSeqs.clear();
    this.#gap = null;
    this.#floor = seq;
    this.#highest = seq;
  }
}
