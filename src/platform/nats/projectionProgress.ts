import type { NatsConnection } from 'nats';
import { z } from 'zod';
import { checkpointSubject, groupOf, PARTITION_GROUPS } from '../../contracts/events/subjects.ts';
import type { Arrival, ReadModelProgress } from '../../ports/readModelProgress.ts';

/** What a projector publishes about one partition group: everything up to `seq` is in, except of what is parked. */
const AnnouncementSchema = z.object({
  group: z
    .number()
    .int()
    .min(0)
    .max(PARTITION_GROUPS - 1),
  seq: z.number().int().min(0),
  parked: z.array(z.string()).max(1_000),
});
export type Announcement = z.infer<typeof AnnouncementSchema>;

interface Waiter {
  readonly conversationId: string;
  readonly seq: number;
  readonly settle: (arrival: Arrival) => void;
}

interface Group {
  seq: number;
  parked: ReadonlySet<string>;
  readonly waiters: Set<Waiter>;
}

/**
 * Progress by announcement: nobody polls Postgres. An announcement that gets lost (they travel on plain NATS) is made
 * up for by the next one, and a waiter by its time-out.
 */
export class AnnouncedProgress implements ReadModelProgress {
  readonly #waitersMax: number;
  readonly #groups: readonly Group[];
  #waiting = 0;

  /** @param options.waitersMax how many may wait; more do not wait at all. Default 10,000. */
  constructor(options: { waitersMax?: number } = {}) {
    this.#waitersMax = options.waitersMax ?? 10_000;
    this.#groups = Array.from({ length: PARTITION_GROUPS }, () => {
      return { seq: -1, parked: new Set<string>(), waiters: new Set<Waiter>() };
    });
  }

  /** Takes the latest word: lower than before is right too, when another version of the read model takes over. */
  announce({ group: number, seq, parked }: Announcement): void {
    const group = this.#groups[number];
    if (group === undefined) return;
    group.seq = seq;
    group.parked = new Set(parked);
    for (const waiter of group.waiters) {
      if (waiter.seq <= seq) waiter.settle(arrivalIn(group, waiter.conversationId));
    }
  }

  waitFor(conversationId: string, seq: number, timeoutMs: number): Promise<Arrival> {
    const group = this.#groups[groupOf(conversationId)];
    if (group === undefined) throw new Error('Every conversation belongs to one of the groups');
    if (group.seq >= seq) return Promise.resolve(arrivalIn(group, conversationId));
    if (this.#waiting >= this.#waitersMax) return Promise.resolve('late');
    return new Promise((resolve) => {
      const waiter: Waiter = {
        conversationId,
        seq,
        settle: (arrival) => {
          clearTimeout(timer);
          group.waiters.delete(waiter);
          this.#waiting -= 1;
          resolve(arrival);
        },
      };
      const timer = setTimeout(() => waiter.settle('late'), timeoutMs);
      group.waiters.add(waiter);
      this.#waiting += 1;
    });
  }

  /** Lets nobody wait any longer, for when the process stops. */
  stop(): void {
    for (const { waiters } of this.#groups) for (const waiter of waiters) waiter.settle('late');
  }
}

function arrivalIn({ parked }: Group, conversationId: string): Arrival {
  return parked.has(conversationId) ? 'parked' : 'reached';
}

/** Announces how far a group is. */
export function announceProgress(
  connection: Pick<NatsConnection, 'publish'>,
  projection: string,
  announcement: Announcement,
): void {
  connection.publish(checkpointSubject(projection), JSON.stringify(announcement));
}

/**
 * Hears how far the groups of one projection are, from whichever workers hold them.
 *
 * @returns a function that ends the listening
 */
export function listenForAnnouncements(
  connection: Pick<NatsConnection, 'subscribe'>,
  projection: string,
  onAnnouncement: (announcement: Announcement) => void,
): () => void {
  const subscription = connection.subscribe(checkpointSubject(projection), {
    callback: (error, message) => {
      if (error !== null) return;
      const announced = AnnouncementSchema.safeParse(parseJson(message.data));
      if (announced.success) onAnnouncement(announced.data);
    },
  });
  return () => subscription.unsubscribe();
}

/**
 * Progress of one projection as announced over NATS.
 *
 * @returns the progress, and a function that ends the listening and the waiting
 */
export function listenForProgress(
  connection: NatsConnection,
  projection: string,
): { progress: ReadModelProgress; stop: () => void } {
  const progress = new AnnouncedProgress();
  const hush = listenForAnnouncements(connection, projection, (announcement) =>
    progress.announce(announcement),
  );
  const stop = () => {
    hush();
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
