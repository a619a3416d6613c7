/** What can be in one {@link LinkedList} at a time. */
export interface Linked<T> {
  /** The list's own. */
  previous: T | null;
  /** The list's own. */
  next: T | null;
}

/**
 * Objects that come and go all the time, in the order in which they came.
 *
 * Made for what is there for a moment and holds much: requests, messages in flight. V8's `Set` and `Map` make themselves a new table
 * after a number of changes, and the old one refers to the new one. A table that was old enough to be left to the slow collection of
 * garbage keeps, until that runs, all later ones and whatever was in them: each request that was ever served. Copying them out of the
 * young heap is what makes the pauses long. Here nothing refers to what was taken out.
 */
export class LinkedList<T extends Linked<T>> {
  #first: T | null = null;
  #last: T | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds behind all others what is in no list. */
  push(item: T): void {
    item.previous = this.#last;
    if (this.#last === null) this.#first = item;
    else this.#last.next = item;
    this.#last = item;
    this.#size += 1;
  }

  /** Takes out what is in this list. */
  remove(item: T): void {
    const { previous, next } = item;
    if (previous === null) this.#first = next;
    else previous.next = next;
    if (next === null) this.#last = previous;
    else next.previous = previous;
    item.previous = null;
    item.next = null;
    this.#size -= 1;
  }

  /** The one at hand may be taken out meanwhile; what was pushed meanwhile may come or not. */
  *[Symbol.iterator](): Generator<T> {
    for (let item = this.#first; item !== null; ) {
      const { next } = item;
      yield item;
      item = next;
    }
  }
}
