import { LinkedList } from '../../platform/linkedList.ts';
import type { Entry } from './publishQueue.ts';
import { ReplySubjects } from './replySubjects.ts';

/** Messages that were sent and are not settled yet, in the order of sending, each found by its answer. */
export class InFlight {
  readonly #entries = new LinkedList<Entry>();
  readonly #replies = new ReplySubjects<Entry>();

  get size(): number {
    return this.#entries.size;
  }

  /** Where all answers come to. */
  get answersTo(): string {
    return this.#replies.all;
  }

  /** An attempt begins. @returns the subject that its answer goes to */
  add(entry: Entry): string {
    entry.reply = this.#replies.take(entry);
    this.#entries.push(entry);
    return entry.reply.subject;
  }

  /** Keeps a message that is not sent now in its turn. */
  addUnsent(entry: Entry): void {
    this.#entries.push(entry);
  }

  /** @returns whose answer came, which is in flight no longer; `null` for one to an attempt that was taken back */
  answered(subject: string): Entry | null {
    const entry = this.#replies.answered(subject);
    if (entry === null) return null;
    entry.reply = null;
    this.#entries.remove(entry);
    return entry;
  }

  /** An answer that still comes is nobody's. */
  takeBack(entry: Entry): void {
    this.#entries.remove(entry);
    if (entry.reply !== null) this.#replies.abandon(entry.reply);
    entry.reply = null;
  }

  /** @returns everything, in its order */
  takeAllBack(): Entry[] {
    const all = [...this.#entries];
    for (const entry of all) this.takeBack(entry);
    return all;
  }

  /** The one at hand may be taken back meanwhile. */
  [Symbol.iterator](): Iterator<Entry> {
    return this.#entries[Symbol.iterator]();
  }
}
