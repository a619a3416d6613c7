/**
 * What an iterator has not been asked for yet, bounded. An error or the end comes after everything that was put in before.
 *
 * filling → overflowed or ended → drained. What comes after an overflow is not taken.
 */
export class ItemQueue<Item> implements AsyncIterableIterator<Item> {
  readonly #max: number;
  readonly #onOverflow: () => Error;
  readonly #onReturn: () => void;
  #items: Item[] = [];
  /** What comes behind the items: nothing yet, the end, or an error. */
  #end: { readonly error: Error | null; readonly overflow: boolean } | null = null;
  #waiting: { resolve(result: IteratorResult<Item>): void; reject(error: Error): void }[] = [];

  /**
   * @param max items kept
   * @param onOverflow makes the error that ends the iteration, when it is reached
   * @param onReturn called once when no more items are wanted
   */
  constructor(max: number, onOverflow: () => Error, onReturn: () => void) {
    this.#max = max;
    this.#onOverflow = onOverflow;
    this.#onReturn = onReturn;
  }

  /** @returns whether it was taken */
  push(item: Item): boolean {
    if (this.#end !== null) return false;
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) waiting.resolve({ done: false, value: item });
    else if (this.#items.length < this.#max) this.#items.push(item);
    else {
      this.#end = { error: null, overflow: true };
      this.#onReturn();
      return false;
    }
    return true;
  }

  /** @param error null for an end that was wanted */
  finish(error: Error | null): void {
    if (this.#end !== null) return;
    this.#end = { error, overflow: false };
    this.#onReturn();
    for (const waiting of this.#waiting.splice(0)) {
      if (error === null) waiting.resolve({ done: true, value: undefined });
      else waiting.reject(error);
    }
  }

  next(): Promise<IteratorResult<Item>> {
    const [item] = this.#items;
    if (item !== undefined) {
      this.#items.shift();
      return Promise.resolve({ done: false, value: item });
    }
    if (this.#end === null) return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
    const { error, overflow } = this.#end;
    this.#end = { error: null, overflow: false };
    const thrown = overflow ? this.#onOverflow() : error;
    return thrown === null ? Promise.resolve({ done: true, value: undefined }) : Promise.reject(thrown);
  }

  /** Called by `break`: nothing more is wanted. */
  return(): Promise<IteratorResult<Item>> {
    this.#items = [];
    if (this.#end === null) this.finish(null);
    else this.#end = { error: null, overflow: false };
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
