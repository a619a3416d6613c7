import { ChatError } from '../contracts/errors.ts';

export interface ConcurrencyLimitOptions {
  /** Tasks that run at a time, at most. */
  readonly activeMax: number;
  /** Tasks that wait, at most. */
  readonly queuedMax: number;
  /** How long a task may wait, in milliseconds. Default: without a limit. */
  readonly queuedMsMax?: number;
  /** What the client gets to read when too many wait, or one waits for too long. */
  readonly overloaded: string;
}

/** Runs at most `activeMax` tasks at a time. Others wait, at most `queuedMax` of them, in the order in which they came. */
export class ConcurrencyLimit {
  readonly #options: ConcurrencyLimitOptions;
  readonly #queue = new Set<() => void>();
  #active = 0;

  constructor(options: ConcurrencyLimitOptions) {
    this.#options = options;
  }

  /** Tasks that run. */
  get active(): number {
    return this.#active;
  }

  /** @throws ChatError overloaded; what the task throws */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#active < this.#options.activeMax) this.#active += 1;
    else await this.#enqueue();
    try {
      return await task();
    } finally {
      this.#handOn();
    }
  }

  /** A task that is done hands its place to the one that has waited longest, so that none gets in between. */
  #handOn(): void {
    const [next] = this.#queue;
    if (next === undefined) this.#active -= 1;
    else next();
  }

  #enqueue(): Promise<void> {
    const { queuedMax, queuedMsMax, overloaded } = this.#options;
    if (this.#queue.size >= queuedMax) return Promise.reject(new ChatError('overloaded', overloaded));
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const start = () => {
        clearTimeout(timer);
        this.#queue.delete(start);
        resolve();
      };
      this.#queue.add(start);
      if (queuedMsMax === undefined) return;
      timer = setTimeout(() => {
        this.#queue.delete(start);
        reject(new ChatError('overloaded', overloaded));
      }, queuedMsMax);
    });
  }
}
