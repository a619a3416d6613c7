import { createInbox } from 'nats';

export interface ReplySubject {
  readonly token: number;
  readonly subject: string;
}

/**
 * Where answers go: one inbox, a subject of it for each attempt. Those whose answer has come serve again; using few of them
 * again and again is what the server's caches like.
 */
export class ReplySubjects {
  readonly #inbox = createInbox();
  readonly #free: ReplySubject[] = [];
  #next = 1;

  /** What to subscribe to. */
  get all(): string {
    return `${this.#inbox}.*`;
  }

  take(): ReplySubject {
    return this.#free.pop() ?? this.#new();
  }

  /** The token in an answer's subject. */
  tokenOf(subject: string): number {
    return Number.parseInt(subject.slice(this.#inbox.length + 1), 36);
  }

  /** A token that no answer will come for. */
  silentToken(): number {
    return this.#next++;
  }

  giveBack(reply: ReplySubject): void {
    this.#free.push(reply);
  }

  #new(): ReplySubject {
    const token = this.#next++;
    return { token, subject: `${this.#inbox}.${token.toString(36)}` };
  }
}
