import { groupOf } from '../../src/contracts/events/subjects.ts';
import { fingerprint } from '../../src/platform/log/fingerprint.ts';
import { PeriodicTask } from '../../src/platform/time/periodicTask.ts';
import type { EventFeed, FollowedEvent, Following } from '../../src/ports/eventFeed.ts';
import { type EventLog, LogUnavailableError } from '../../src/ports/eventLog.ts';
import type { Timers } from '../../src/ports/timers.ts';
import { type CommitNotice, GroupWorker } from './groupWorker.ts';
import { assertSameLog, type KnownCheckpoint, LogMismatchError } from './logGuard.ts';
import type { Projection } from './projection.ts';
import { type Assignment, type Checkpoint, type Claim, HaltError, type ProjectionStore } from './store.ts';

export interface RunnerSessionOptions<Changes> {
  readonly projection: Pick<Projection<Changes>, 'name' | 'project'>;
  readonly store: ProjectionStore<Changes>;
  readonly log: EventLog;
  readonly feed: EventFeed;
  readonly timers: Timers;
  readonly random: () => number;
  readonly batchMax: number;
  readonly throttle?: ((events: number) => Promise<void>) | undefined;
  readonly ceiling?: ((group: number) => Checkpoint | null) | undefined;
  /** Asks for the worker's assignment; called every two seconds, which also keeps the leases. */
  readonly heartbeat: () => Promise<Assignment>;
  readonly onCommit: (commit: CommitNotice) => void;
  readonly onProgress: (behind: number) => void;
}

/** Between two heartbeats, in milliseconds; a lease is three times as long. */
export const HEARTBEAT_MS = 2_000;
/** Between two checks that the log still is the same while reading is not interrupted, in milliseconds. */
const GUARD_MS = 30_000;
/** More consecutive sequences without events than this were not erased one by one. */
const HOLES_MAX = 100_000;
/** How many events of other workers' groups are given back at a time. */
const FOREIGN_RELEASE = 64;

/**
 * One stretch of work under one set of claims: a reader over the log, from the lowest checkpoint on, and a worker for each
 * group. Ends on request, when the groups are rebalanced, or with the first thing that fails.
 *
 * The reader reads every event, also those of groups that others have: so its position is true for all groups, an idle
 * group's checkpoint moves on, and what was erased shows as a hole in the sequence.
 *
 * Before it reads, and again whenever the reading was interrupted, it makes sure that the log still holds what was read
 * last: a log that lost its tail meanwhile, and was written on, is never projected after what it lost.
 */
export class RunnerSession<Changes> {
  readonly #options: RunnerSessionOptions<Changes>;
  readonly #ending = new AbortController();
  readonly #workers = new Map<number, GroupWorker<Changes>>();
  readonly #tasks: readonly PeriodicTask[];
  #following: Following | null = null;
  #tail: FollowedEvent | null = null;
  #position: number;
  #foreign = 0;
  #reassigned = false;
  #failure: { error: unknown } | null = null;

  constructor(claims: readonly Claim[], options: RunnerSessionOptions<Changes>) {
    this.#options = options;
    this.#position = Math.min(...claims.map(({ seq }) => seq));
    for (const claim of claims) this.#workers.set(claim.group, this.#workerOf(claim));
    this.#tasks = [this.#every(HEARTBEAT_MS, () => this.#beat()), this.#every(GUARD_MS, () => this.#guard())];
  }

  /** The checkpoint of each group that is worked on. */
  get checkpoints(): ReadonlyMap<number, number> {
    return new Map([...this.#workers].map(([group, { claim }]) => [group, claim.seq]));
  }

  end(): void {
    this.#ending.abort();
    // Waited for at the end of `run`: what ends the session may be one of them.
    for (const task of this.#tasks) void task.stop();
  }

  /**
   * @returns why it ended, once no transaction is in flight any more
   * @throws the first thing that failed
   */
  async run(onOpened: () => void): Promise<'ended' | 'reassigned'> {
    const { feed, batchMax } = this.#options;
    this.#following = await feed.follow({
      after: this.#position,
      manualRelease: true,
      // What is foreign and not given back yet must not fill it.
      unreleasedMax: FOREIGN_RELEASE + 2 * batchMax * this.#workers.size,
      confirm: () => this.#confirm(),
      onEvent: (event) => this.#accept(event),
    });
    try {
      onOpened();
      this.#noteProgress();
      for (const task of this.#tasks) task.start();
      const work = [...this.#workers.values()].map((worker) => worker.run());
      await Promise.all(work.map((part) => part.catch((error: unknown) => this.#fail(error))));
    } finally {
      await Promise.all(this.#tasks.map((task) => task.stop()));
      await this.#following.stop();
    }
    if (this.#failure !== null) throw this.#failure.error;
    return this.#reassigned ? 'reassigned' : 'ended';
  }

  #workerOf(claim: Claim): GroupWorker<Changes> {
    const { projection, store, timers, random, batchMax, throttle, ceiling } = this.#options;
    const confirm = () => this.#confirm();
    const feed: EventFeed = { follow: (options) => this.#options.feed.follow({ ...options, confirm }) };
    const parts = { projection, store, feed, timers, random, batchMax, throttle, ceiling };
    return new GroupWorker(claim, {
      ...parts,
      signal: this.#ending.signal,
      tail: () => this.#tail,
      release: (count) => this.#following?.release(count),
      onCommit: (commit) => {
        this.#options.onCommit(commit);
        this.#noteProgress();
      },
    });
  }

  #accept(event: FollowedEvent): void {
    if (event.seq > this.#position + 1) this.#noteHoles(this.#position + 1, event.seq);
    this.#position = event.seq;
    this.#tail = event;
    const worker = this.#workers.get(groupOf(event.conversationId));
    if (worker !== undefined && event.seq > worker.claim.seq) worker.queue.push(event);
    else this.#giveBack();
  }

  #noteHoles(from: number, before: number): void {
    if (before - from > HOLES_MAX) {
      const missing = `The log holds nothing from ${from} to ${before - 1}`;
      return this.#fail(new HaltError(`${missing}: that many events are not erased one by one`));
    }
    for (let seq = from; seq < before; seq++) {
      for (const { claim, queue } of this.#workers.values()) if (seq > claim.seq) queue.pushHole(seq);
    }
  }

  #giveBack(): void {
    this.#foreign += 1;
    if (this.#foreign < FOREIGN_RELEASE) return;
    this.#following?.release(this.#foreign);
    this.#foreign = 0;
  }

  #every(intervalMs: number, run: () => Promise<void>): PeriodicTask {
    const { timers } = this.#options;
    const onError = (error: unknown) => this.#fail(error);
    return new PeriodicTask({ run, timers, intervalMs, restsFirst: true, onError });
  }

  async #beat(): Promise<void> {
    const { paused, claims } = await this.#options.heartbeat();
    if (paused || !this.#holdsJust(claims)) {
      this.#reassigned = true;
      return this.end();
    }
    for (const { group, parked } of claims) this.#workers.get(group)?.noteRetries(parked);
    for (const worker of this.#workers.values()) worker.announce();
  }

  #holdsJust(claims: readonly Claim[]): boolean {
    if (claims.length !== this.#workers.size) return false;
    return claims.every((claim) => this.#workers.get(claim.group)?.claim.ownerEpoch === claim.ownerEpoch);
  }

  async #guard(): Promise<void> {
    const { timers, log, projection } = this.#options;
    try {
      await assertSameLog(projection.name, this.#knownCheckpoints(), log, timers);
    } catch (error) {
      // Away, not another one: the reader will say so too, and come back by itself.
      if (!(error instanceof LogUnavailableError)) throw error;
    }
  }

  /** @throws what the log throws when it cannot be read: the reader asks again */
  async #confirm(): Promise<boolean> {
    const { log, projection, timers } = this.#options;
    try {
      await assertSameLog(projection.name, this.#knownCheckpoints(), log, timers);
      return true;
    } catch (error) {
      if (!(error instanceof LogMismatchError)) throw error;
      this.#fail(error);
      return false;
    }
  }

  /** The event read last vouches for all before it; while none was, the checkpoints do. */
  #knownCheckpoints(): KnownCheckpoint[] {
    const claims = [...this.#workers.values()].map(({ claim }) => claim);
    const [first] = claims;
    if (this.#tail === null || first === undefined) return claims;
    const { seq, bytes } = this.#tail;
    return [{ version: first.version, seq, fingerprint: fingerprint(bytes) }];
  }

  /** Under a steady load something is always waiting: what the next batches take along is no lag. */
  #noteProgress(): void {
    let waiting = this.#following?.remaining ?? 0;
    for (const { queue } of this.#workers.values()) waiting += queue.size;
    this.#options.onProgress(waiting);
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.end();
  }
}
