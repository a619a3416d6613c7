import type { NatsConnection } from 'nats';
import { z } from 'zod';
import { checkpointSubject } from '../contracts/subjects.ts';

/** How far a read model is, as its projector says after every commit. */
export interface ProjectionProgress {
  /** The lowest checkpoint over all partition groups, as last announced; null before the first announcement. */
  checkpoint(): number | null;
  /** Waits until the checkpoint is at or past `seq`. @returns false when it was not in time */
  waitFor(seq: number, timeoutMs: number): Promise<boolean>;
}

/** What a projector publishes: `seq` is the lowest checkpoint over all its partition groups. */
const Announcement = z.object({ seq: z.number().int().min(0) });

interface Waiter {
  readonly seq: number;
  readonly settle: (passed: boolean) => void;
}

/**
 * Progress by announcement: nobody polls Postgres. An announcement that gets lost (they travel on plain NATS) is made
 * up for by the next one, and a waiter by its time-out.
 */
export class AnnouncedProgress implements ProjectionProgress {
  readonly #waitersMax: number;
  readonly #waiters = new Set<Waiter>();
  #checkpoint: number | null = null;

  /** @param options.waitersMax how many may wait; more do not wait at all. Default 2,000. */
  constructor(options: { waitersMax?: number } = {}) {
    this.#waitersMax = options.waitersMax ?? 2_000;
  }

  checkpoint(): number | null {
    return this.#checkpoint;
  }

  /** Takes the latest word: lower than before is right too, when another version of the read model takes over. */
  announce(seq: number): void {
    this.#checkpoint = seq;
    for (const waiter of this.#waiters) if (waiter.seq <= seq) waiter.settle(true);
  }

  waitFor(seq: number, timeoutMs: number): Promise<boolean> {
    if (this.#checkpoint !== null && this.#checkpoint >= seq) return Promise.resolve(true);
    if (this.#waiters.size >= this.#waitersMax) return Promise.resolve(false);
    return new Promise((resolve) => {
      const waiter: Waiter = {
        seq,
        settle: (passed) => {
          clearTimeout(timer);
          this.#waiters.delete(waiter);
          resolve(passed);
        },
      };
      const timer = setTimeout(() => waiter.settle(false), timeoutMs);
      this.#waiters.add(waiter);
    });
  }

  /** Lets nobody wait any longer, for when the process stops. */
  stop(): void {
    for (const waiter of this.#waiters) waiter.settle(false);
  }
}

/**
 * Progress of one projection as announced over NATS.
 *
 * @returns the progress, and a function that ends the listening and the waiting
 */
export function listenForProgress(
  connection: NatsConnection,
  projection: string,
): { progress: ProjectionProgress; stop: () => void } {
  const progress = new AnnouncedProgress();
  const subscription = connection.subscribe(checkpointSubject(projection), {
    callback: (error, message) => {
      if (error !== null) return;
      const announced = Announcement.safeParse(parseJson(message.data));
      if (announced.success) progress.announce(announced.data.seq);
    },
  });
  const stop = () => {
    subscription.unsubscribe();
    progress.stop();
  };
  return { progress, stop };
}

/** What somebody else publishes on the subject by mistake is no announcement, and no reason to fall over. */
function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return null;
  }
}
