import { ChatError } from '../contracts/errors.ts';

export interface TurnsOptions {
  /** How many may be at it at a time. */
  readonly atOnceMax: number;
  /** How many may wait for their turn. */
  readonly waitingMax: number;
  /** How long one may wait, in milliseconds. Default: as long as it takes. */
  readonly waitMsMax?: number;
  /** What the client is told when there are too many, or it takes too long. */
  readonly overloaded: string;
}

/** Lets only so many do something at a time; the others wait, within bounds, first come, first served. */
export class Turns {
  readonly #options: TurnsOptions;
  readonly #waiting = new Set<() => void>();
  #atIt = 0;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** How many are at it. */
  get atOnce(): number {
    return this.#atIt;
  }

  /** @throws ChatError overloaded; what the work throws */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#atIt < this.#options.atOnceMax) this.#atIt += 1;
    else await this.#wait();
    try {
      return await work();
    } finally {
      this.#handOn();
    }
  }

  /** Whoever is done hands the place to the one who has waited longest, so that nobody gets in between. */
  #handOn(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#atIt -= 1;
    else next();
  }

  #wait(): Promise<void> {
    const { waitingMax, waitMsMax, overloaded } = this.#options;
    if (this.#waiting.size >= waitingMax) return Promise.reject(new ChatError('overloaded', overloaded));
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const enter = () => {
        clearTimeout(timer);
        this.#waiting.delete(enter);
        resolve();
      };
      this.#waiting.add(enter);
      if (waitMsMax === undefined) return;
      timer = setTimeout(() => {
        this.#waiting.delete(enter);
        reject(new ChatError('overloaded', overloaded));
      }, waitMsMax);
    });
  }
}
