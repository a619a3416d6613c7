import { createInbox } from 'nats';

/** Where the answer to one attempt goes. */
export interface ReplySubject<T> {
  readonly token: number;
  readonly subject: string;
  /** Who waits for the answer. */
  asker: T | null;
}

/**
 * Where answers go: one inbox, a subject of it for each attempt. Those whose answer has come serve again; using few of them
 * again and again is what the server's caches like.
 */
export class ReplySubjects<T> {
  readonly #inbox = createInbox();
  readonly #free: ReplySubject<T>[] = [];
  /** By token: all that are free or waited at. Hardly ever changes; `linkedList.ts` says why that matters. */
  readonly #known = new Map<number, ReplySubject<T>>();
  #next = 1;

  /** What to subscribe to. */
  get all(): string {
    return `${this.#inbox}.*`;
  }

  take(asker: T): ReplySubject<T> {
    const reply = this.#free.pop() ?? this.#new();
    reply.asker = asker;
    return reply;
  }

  /** An answer came to this subject. @returns who waited for it; `null` when it was abandoned */
  answered(subject: string): T | null {
    const reply = this.#known.get(Number.parseInt(subject.slice(this.#inbox.length + 1), 36));
    if (reply === undefined) return null;
    const { asker } = reply;
    // An answer that came twice: its subject is free already.
    if (asker === null) return null;
    reply.asker = null;
    this.#free.push(reply);
    return asker;
  }

  /** Nobody waits for this answer any more. As it may still come, the subject never serves again. */
  abandon(reply: ReplySubject<T>): void {
    reply.asker = null;
    this.#known.delete(reply.token);
  }

  #new(): ReplySubject<T> {
    const token = this.#next++;
    const reply = { token, subject: `${this.#inbox}.${token.toString(36)}`, asker: null };
    this.#known.set(token, reply);
    return reply;
  }
}
