import { UnknownEventError } from '../../src/contracts/events/events.ts';
import { fingerprint } from '../../src/platform/log/fingerprint.ts';
import { backoffMs } from '../../src/platform/time/backoff.ts';
import { pause } from '../../src/platform/time/pause.ts';
import type { EventFeed } from '../../src/ports/eventFeed.ts';
import type { Timers } from '../../src/ports/timers.ts';
import { readStretch } from './conversationEvents.ts';
import { GroupQueue, type QueuedBatch, type QueuedEvent } from './groupQueue.ts';
import { parkedAgain, retryParked } from './parkedRetry.ts';
import { before, findPoison, firstPoison } from './poison.ts';
import type { LoggedEvent, Projection } from './projection.ts';
import { RETRY_BACKOFF } from './retryBackoff.ts';
import {
  type Checkpoint,
  type Claim,
  type GroupCommit,
  HaltError,
  type ParkedConversation,
  PoisonError,
  type ProjectionStore,
} from './store.ts';

export interface GroupWorkerOptions<Changes> {
  readonly projection: Pick<Projection<Changes>, 'name' | 'project'>;
  readonly store: ProjectionStore<Changes>;
  readonly feed: EventFeed;
  readonly timers: Timers;
  readonly random: () => number;
  readonly batchMax: number;
  readonly signal: AbortSignal;
  /** The last event that the reader has handed to anybody. */
  readonly tail: () => { seq: number; storedAtMs: number; bytes: Uint8Array } | null;
  /** Gives events back to the feed: they are out of this worker's hands. */
  readonly release: (count: number) => void;
  readonly onCommit: (commit: CommitNotice) => void;
  /** Nothing after this checkpoint is projected for now; `null`: no bound. */
  readonly ceiling?: ((group: number) => Checkpoint | null) | undefined;
  /** Waits before a commit, to spare the others. */
  readonly throttle?: ((events: number) => Promise<void>) | undefined;
}

/** What was committed, for those who wait for it. */
export interface CommitNotice {
  readonly group: number;
  /** Everything of the group up to here is in the read model, except of … */
  readonly seq: number;
  /** … these conversations. */
  readonly parked: readonly string[];
  readonly events: number;
}

/** How many times changes that cannot be written are tried before their conversation is parked. */
const POISON_ATTEMPTS = 3;
/** More parked conversations in one group than this: it is not the conversations that are wrong. */
export const PARKED_MAX = 100;
/** How long a group is idle before its checkpoint moves past the events of the other groups, in milliseconds. */
const IDLE_MS = 250;

/**
 * Projects one partition group, in the order of the log, one transaction at a time, under one claim.
 *
 * An event that cannot be projected parks its conversation: it and every later event of that conversation wait in the
 * log, everything else flows. A conversation that an operator wants retried is read from the log again, from where it was
 * parked up to the checkpoint, chunk by chunk between the batches, and is parked no longer when nothing is left.
 */
export class GroupWorker<Changes> {
  readonly #options: GroupWorkerOptions<Changes>;
  readonly queue = new GroupQueue();
  readonly #parked: Map<string, ParkedConversation>;
  #claim: Claim;
  #wake: (() => void) | null = null;

  constructor(claim: Claim, options: GroupWorkerOptions<Changes>) {
    this.#claim = claim;
    this.#options = options;
    this.#parked = new Map(claim.parked.map((parked) => [parked.conversationId, parked]));
  }

  /** Under which it writes, with the checkpoint as of now. */
  get claim(): Claim {
    return this.#claim;
  }

  /** Until the signal aborts; the transaction in flight is waited for. */
  async run(): Promise<void> {
    const { signal, batchMax } = this.#options;
    while (!signal.aborted) {
      const retry = [...this.#parked.values()].find(({ retryRequested }) => retryRequested);
      if (retry !== undefined) await this.#retry(retry);
      const ceiling = this.#ceiling()?.seq ?? Number.POSITIVE_INFINITY;
      if (this.queue.hasUpTo(ceiling)) await this.#projectBatch(this.queue.take(batchMax, ceiling));
      else if (retry === undefined) await this.#idle();
    }
  }

  /** An operator may have asked for retries: what is known of the parked conversations from the database. */
  noteRetries(parked: readonly ParkedConversation[]): void {
    for (const { conversationId, retryRequested } of parked) {
      const known = this.#parked.get(conversationId);
      if (known === undefined || !retryRequested || known.retryRequested) continue;
      this.#parked.set(conversationId, { ...known, retryRequested });
      this.#wake?.();
    }
  }

  async #idle(): Promise<void> {
    await this.#arrival();
    if (this.#options.signal.aborted) return;
    const reached = this.#idleCheckpoint();
    if (reached === null || reached.seq <= this.#claim.seq) return;
    await this.#options.store.advance(this.#claim, reached);
    this.#moved(reached, 0);
  }

  /** How far the log was read without an event of this group; `null` when one waits. */
  #idleCheckpoint(): Checkpoint | null {
    const tail = this.#options.tail();
    const ceiling = this.#ceiling();
    if (tail === null) return null;
    if (ceiling === null || tail.seq < ceiling.seq) return this.queue.size > 0 ? null : checkpointAt(tail);
    return this.queue.hasUpTo(ceiling.seq) ? null : ceiling;
  }

  #ceiling(): Checkpoint | null {
    return this.#options.ceiling?.(this.#claim.group) ?? null;
  }

  /** Until something arrives or is to be retried, or it is time for an idle check. */
  #arrival(): Promise<void> {
    const { timers, signal } = this.#options;
    return new Promise((resolve) => {
      const wake = () => {
        cancel();
        signal.removeEventListener('abort', wake);
        this.#wake = null;
        resolve();
      };
      const cancel = timers.after(IDLE_MS, wake);
      signal.addEventListener('abort', wake);
      this.#wake = wake;
      this.queue.onArrival(wake);
    });
  }

  async #projectBatch(batch: QueuedBatch): Promise<void> {
    const unknownAt = batch.events.findIndex(({ error }) => error instanceof UnknownEventError);
    const known = unknownAt < 0 ? batch.events : batch.events.slice(0, unknownAt);
    const last = known.at(-1);
    await this.#options.throttle?.(known.length);
    if (last !== undefined) {
      const { events, park } = this.#sift(known);
      const to = checkpointAt(last);
      const write = { events, holes: batch.holes, to, park, release: batch.events.length };
      await this.#write(write);
      this.#moved(to, known.length);
    }
    const unknown = batch.events[unknownAt];
    if (unknown?.error !== undefined) throw new HaltError(unknown.error.message, { cause: unknown.error });
  }

  /** Leaves out what waits, and parks the conversation of an event that cannot be read. */
  #sift(queued: readonly QueuedEvent[]): { events: LoggedEvent[]; park: ParkedConversation[] } {
    const park = new Map<string, ParkedConversation>();
    const events: LoggedEvent[] = [];
    for (const { seq, conversationId, event, error } of queued) {
      if (this.#parked.has(conversationId) || park.has(conversationId)) continue;
      if (event !== undefined) events.push({ seq, event });
      else park.set(conversationId, this.#parkedBy(conversationId, seq, error.message));
    }
    return { events, park: [...park.values()] };
  }

  async #write(write: Write): Promise<void> {
    let released = write.release === 0;
    const onSent = () => {
      if (!released) this.#options.release(write.release);
      released = true;
    };
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#commit(write, onSent);
      } catch (error) {
        if (!(error instanceof PoisonError)) throw error;
        if (attempt >= POISON_ATTEMPTS) break;
        await this.#pause(attempt);
      }
    }
    // Whatever it is, the whole batch cannot be written: without what is to blame, it can.
    await this.#commit(await this.#withoutPoison(write), onSent);
  }

  async #withoutPoison(write: Write): Promise<Write> {
    const { events, holes } = write;
    const poison = await findPoison(events, (some) => this.#probe(some, holes));
    const park = poison.map(({ conversationId, seq, error }) => this.#parkedBy(conversationId, seq, error));
    const from = new Map(park.map((parked) => [parked.conversationId, parked]));
    return { ...write, events: before(from, events), park: [...write.park, ...park] };
  }

  async #commit({ events, holes, to, park, unpark = [] }: Write, onSent: () => void): Promise<void> {
    const { projection, store } = this.#options;
    const { group } = this.#claim;
    this.#assertBounded(park);
    const nothing = events.length === 0 && holes.length === 0;
    const changes = nothing ? null : projection.project({ group, events, holes });
    const commit: GroupCommit<Changes> = { changes, to, park, unpark };
    await store.commit(this.#claim, commit, onSent);
    onSent();
    for (const parked of park) this.#parked.set(parked.conversationId, parked);
    for (const conversationId of unpark) this.#parked.delete(conversationId);
  }

  #probe(events: readonly LoggedEvent[], holes: readonly number[]): Promise<string | null> {
    const { projection, store } = this.#options;
    return store.probe(this.#claim, projection.project({ group: this.#claim.group, events, holes }));
  }

  #moved({ seq, fingerprint: mark }: Checkpoint, events: number): void {
    this.#claim = { ...this.#claim, seq, fingerprint: mark };
    this.announce(events);
  }

  /** Announces its checkpoint; repeated, for those who missed it or listen only since. */
  announce(events = 0): void {
    const { group, seq } = this.#claim;
    this.#options.onCommit({ group, seq, parked: [...this.#parked.keys()], events });
  }

  /** One chunk of a parked conversation. */
  async #retry(parked: ParkedConversation): Promise<void> {
    const { feed, batchMax } = this.#options;
    const { conversationId, seq: from } = parked;
    const stretch = { conversationId, from, until: this.#claim.seq, max: batchMax };
    const retry = retryParked(parked, await readStretch(feed, stretch));
    const write: Write = { ...retry, holes: [], to: null, release: 0 };
    try {
      await this.#commit(write, () => {});
    } catch (error) {
      if (!(error instanceof PoisonError)) throw error;
      await this.#commit(await this.#upToPoison(parked, write, error), () => {});
    }
    this.announce();
  }

  async #upToPoison(parked: ParkedConversation, write: Write, cause: PoisonError): Promise<Write> {
    const poison = await firstPoison(write.events, (some) => this.#probe(some, []));
    if (poison === null)
      throw new Error('What could not be written together can be written apart', { cause });
    const events = write.events.filter(({ seq }) => seq < poison.seq);
    const error = this.#say(poison.conversationId, poison.error);
    return { ...write, events, park: [parkedAgain(parked, poison.seq, error)], unpark: [] };
  }

  #parkedBy(conversationId: string, seq: number, reason: string): ParkedConversation {
    const error = this.#say(conversationId, reason);
    return { conversationId, seq, error, attempts: 1, retryRequested: false };
  }

  #say(conversationId: string, reason: string): string {
    const { name } = this.#options.projection;
    return `${reason}. When the cause is gone: chat-backend parked retry ${name} ${conversationId}`;
  }

  #assertBounded(park: readonly ParkedConversation[]): void {
    const fresh = park.filter(({ conversationId }) => !this.#parked.has(conversationId));
    if (fresh.length === 0 || this.#parked.size + fresh.length <= PARKED_MAX) return;
    throw new HaltError(
      `More than ${PARKED_MAX} conversations of ${this.#options.projection.name} cannot be projected, the latest: ` +
        `${fresh[0]?.error}. It is not the conversations that are wrong: find the common cause.`,
    );
  }

  #pause(attempt: number): Promise<void> {
    const { timers, random, signal } = this.#options;
    return pause(timers, backoffMs(RETRY_BACKOFF, attempt, random), signal);
  }
}

interface Write {
  readonly events: readonly LoggedEvent[];
  readonly holes: readonly number[];
  readonly to: Checkpoint | null;
  readonly park: readonly ParkedConversation[];
  readonly unpark?: readonly string[];
  /** How many events the feed gets back. */
  readonly release: number;
}

function checkpointAt(at: { seq: number; storedAtMs: number; bytes: Uint8Array }): Checkpoint {
  return { seq: at.seq, storedAtMs: at.storedAtMs, fingerprint: fingerprint(at.bytes) };
}
