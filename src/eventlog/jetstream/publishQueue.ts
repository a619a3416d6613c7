import type { Linked } from '../../platform/linkedList.ts';
import type { AppendResult } from '../../ports/eventLog.ts';
import type { ReplySubject } from './replySubjects.ts';

/** One message on its way to the stream, from the call to its outcome. */
export class Entry implements Linked<Entry> {
  readonly subject: string;
  readonly bytes: Uint8Array;
  readonly key: string;
  readonly expectedSeq: number | undefined;
  readonly headers: string | undefined;
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: Error) => void;
  deadlineAtMs = 0;
  sentAtMs = 0;
  retryAtMs = 0;
  attempts = 0;
  /** True once an attempt may have been stored without our hearing of it. */
  ambiguous = false;
  /** Where the answer to the attempt under way goes. */
  reply: ReplySubject<Entry> | null = null;
  previous: Entry | null = null;
  next: Entry | null = null;

  constructor(message: Message, resolve: Entry['resolve'], reject: Entry['reject']) {
    this.subject = message.subject;
    this.bytes = message.bytes;
    this.key = message.key;
    this.expectedSeq = message.expectedSeq;
    this.headers = message.headers;
    this.resolve = resolve;
    this.reject = reject;
  }
}

export interface Message {
  readonly subject: string;
  readonly bytes: Uint8Array;
  /** `Nats-Msg-Id`. */
  readonly key: string;
  readonly expectedSeq?: number | undefined;
  /** Further header lines, each with its end. */
  readonly headers?: string | undefined;
}

/** Messages that were never sent, first in, first out. Its owner bounds it. */
export class PublishQueue {
  #entries: Entry[] = [];
  #head = 0;

  get length(): number {
    return this.#entries.length - this.#head;
  }

  push(entry: Entry): void {
    this.#entries.push(entry);
  }

  shift(): Entry | undefined {
    const entry = this.#entries[this.#head];
    if (entry !== undefined) this.#head += 1;
    return entry;
  }

  /** Lets go of what was taken. Not done with each one: moving the rest costs more than the message. */
  compact(): void {
    if (this.#head < this.#entries.length && this.#head <= 4_096) return;
    this.#entries = this.#entries.slice(this.#head);
    this.#head = 0;
  }

  /** Those past their deadline. All have the same time, so they are the first. */
  takeOverdue(nowMs: number): Entry[] {
    const from = this.#head;
    while ((this.#entries[this.#head]?.deadlineAtMs ?? Number.POSITIVE_INFINITY) <= nowMs) this.#head += 1;
    return this.#entries.slice(from, this.#head);
  }

  takeAll(): Entry[] {
    const all = this.#entries.slice(this.#head);
    this.#entries = [];
    this.#head = 0;
    return all;
  }
}
