import type { StoredEvent } from '../../ports/eventLog.ts';

/**
 * Which conversations changed lately, from the tail of the log. It tells whether something that was read elsewhere, some
 * time ago, is still so.
 *
 * Invariant: of every conversation that has an event with a sequence from `#completeFrom` up to `position`, the latest
 * is in `#changes`. Beyond `changesMax` the earliest change is forgotten, and `#completeFrom` moves after it.
 */
export class RecentChanges {
  readonly #changesMax: number;
  /** Sequences by conversation, earliest first. */
  readonly #changes = new Map<string, number>();
  #completeFrom = Number.POSITIVE_INFINITY;
  #position = 0;

  /** @param changesMax conversations that are remembered, at most */
  constructor(changesMax: number) {
    this.#changesMax = changesMax;
  }

  /** The sequence up to which everything passed; 0 when that is not known. */
  get position(): number {
    return this.#position;
  }

  get size(): number {
    return this.#changes.size;
  }

  /** From here on, every event after `seq` passes, in the order of the log. */
  begin(seq: number): void {
    this.#changes.clear();
    this.#completeFrom = seq + 1;
    this.#position = seq;
  }

  /** Takes note of an event that passes. */
  note({ seq, category, conversationId }: StoredEvent): void {
    this.#position = seq;
    if (category !== 'conversation') return;
    // Taken out first, so that it goes to the end.
    this.#changes.delete(conversationId);
    this.#changes.set(conversationId, seq);
    if (this.#changes.size > this.#changesMax) this.#forgetEarliest();
  }

  /** The sequence of the latest change that is known of; 0 when none is. */
  latest(conversationId: string): number {
    return this.#changes.get(conversationId) ?? 0;
  }

  /** Whether every change after this sequence is known or will be: all that the tail has passed, and all that is to come. */
  completeAfter(seq: number): boolean {
    return seq + 1 >= this.#completeFrom;
  }

  clear(): void {
    this.#changes.clear();
    this.#completeFrom = Number.POSITIVE_INFINITY;
    this.#position = 0;
  }

  #forgetEarliest(): void {
    for (const [conversationId, seq] of this.#changes) {
      this.#changes.delete(conversationId);
      this.#completeFrom = seq + 1;
      return;
    }
  }
}
