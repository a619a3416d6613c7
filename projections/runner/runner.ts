import type { Pool, PoolClient } from 'pg';
import { UndecodableEventError } from '../../src/contracts/events.ts';
import { inTransaction } from '../../src/platform/transaction.ts';
import type { EventFeed, Following } from '../../src/ports/eventFeed.ts';
import type { EventLog } from '../../src/ports/eventLog.ts';
import { BatchQueue, type QueuedEvent } from './batchQueue.ts';
import { advanceCheckpoint, type Claim, claimCheckpoint, FencedError } from './checkpoints.ts';
import { BATCH_SAVEPOINT, type Projection, schemaOf } from './projection.ts';
import { type RunnerState, type RunnerTrigger, transition } from './states.ts';
import { ensureLiveVersion, type Version } from './versions.ts';

/**
 * Builds one version of one read model from the log. The states are those of `states.ts`.
 *
 * Invariants:
 * - The checkpoint and the rows of a batch are written in one transaction, the checkpoint by compare-and-set: each
 *   event is in the read model exactly once, whoever dies when.
 * - Batches are projected in the order of the log, one at a time. Nothing is skipped: what cannot be projected halts.
 * - In memory are at most three batches: one being written, two waiting; then the feed is held up.
 */
export class ProjectionRunner<Changes> {
  readonly #options: RunnerOptions<Changes>;
  #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #failuresInARow = 0;
  state: RunnerState = 'idle';
  /** Everything up to here is in the read model; `null` before the checkpoint was read. */
  checkpoint: number | null = null;
  /** Events that the log held behind the checkpoint after the latest commit; `null` before the first look. */
  behind: number | null = null;

  constructor(options: RunnerOptions<Changes>) {
    this.#options = options;
  }

  start(): void {
    if (this.state !== 'idle') return;
    this.#become('start');
    this.#running = this.#run();
  }

  /** Lets the batch under way commit, then ends. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    this.#become('stop');
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted && this.state !== 'halted') {
      if (this.state === 'backoff') await this.#pause();
      else await this.#attempt();
    }
  }

  /** Works until stopped or something happens; what happened decides the next state. */
  async #attempt(): Promise<void> {
    try {
      await this.#work();
    } catch (error) {
      this.#failuresInARow += 1;
      const trigger = triggerOf(error);
      this.#become(trigger);
      this.#options.onEvent?.({ type: 'projectionFailed', projection: this.#name, trigger, error });
    }
  }

  async #work(): Promise<void> {
    const { pool, log, version, projection } = this.#options;
    const { epoch, lastSeq } = await log.status();
    const target = version ?? (await ensureLiveVersion(pool, projection, epoch));
    const claim = await this.#claim(target);
    assertSameLog(this.#name, target, claim, { epoch, lastSeq });
    this.checkpoint = claim.seq;
    const queue = new BatchQueue();
    const following = await this.#follow(claim.seq, queue);
    try {
      this.#become('opened');
      await this.#drain(claim, queue, following);
    } finally {
      await following.stop();
    }
  }

  async #claim(target: Version): Promise<Claim> {
    return inTransaction(this.#options.pool, (client) => claimCheckpoint(client, this.#name, target.version));
  }

  #follow(after: number, queue: BatchQueue): Promise<Following> {
    return this.#options.feed.follow({
      after,
      manualRelease: true,
      unreleasedMax: 2 * this.#options.batchMax,
      onEvent: (event) => queue.push(event),
    });
  }

  async #drain(first: Claim, queue: BatchQueue, following: Following): Promise<void> {
    let claim = first;
    this.#noteProgress(queue, following);
    while (!this.#stopping.signal.aborted) {
      const batch = await queue.take(this.#options.batchMax, this.#stopping.signal);
      const last = batch.at(-1);
      if (last === undefined) return;
      claim = await this.#commit(claim, batch, last, following);
      this.#failuresInARow = 0;
      this.checkpoint = claim.seq;
      this.#noteProgress(queue, following);
      this.#options.onCommit?.({ seq: claim.seq, events: batch.length });
    }
  }

  #commit(
    claim: Claim,
    batch: readonly QueuedEvent[],
    last: QueuedEvent,
    following: Following,
  ): Promise<Claim> {
    const { pool, projection } = this.#options;
    const changes = projection.project({ group: 0, events: batch, holes: [] });
    const write = async (client: PoolClient) => {
      // Only now, so that the next events arrive while Postgres writes these and not while this waits for an answer.
      following.release(batch.length);
      await projection.write(client, schemaOf(projection.name, claim.version), changes);
      return advanceCheckpoint(client, claim, last);
    };
    return inTransaction(pool, write, BEGIN_BATCH);
  }

  /** Under a steady load something is always waiting: what the next batch takes along does not count as behind. */
  #noteProgress(queue: BatchQueue, following: Following): void {
    const { batchMax } = this.#options;
    this.behind = queue.size + (following.remaining ?? 0);
    if (this.behind <= batchMax) this.#become('caughtUp');
    else if (this.behind > FALLEN_BEHIND_BATCHES * batchMax) this.#become('fellBehind');
  }

  async #pause(): Promise<void> {
    const longest = Math.min(100 * 2 ** this.#failuresInARow, 5_000);
    const { signal } = this.#stopping;
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, longest * (0.5 + Math.random() / 2));
      signal.addEventListener('abort', wake);
      if (signal.aborted) wake();
    });
    this.#become('pauseOver');
  }

  #become(trigger: RunnerTrigger): void {
    const from = this.state;
    this.state = transition(from, trigger);
    if (this.state === from) return;
    this.#options.onEvent?.({ type: 'projectionState', projection: this.#name, from, to: this.state });
  }

  get #name(): string {
    return this.#options.projection.name;
  }
}

export interface RunnerOptions<Changes> {
  readonly projection: Projection<Changes>;
  readonly pool: Pool;
  readonly log: EventLog;
  readonly feed: EventFeed;
  /** Events in one transaction, at most. */
  readonly batchMax: number;
  /** The version to build; absent: the live one, whichever that is. */
  readonly version?: Version;
  readonly onEvent?: (event: RunnerEvent) => void;
  /** Called after every commit. */
  readonly onCommit?: (commit: { seq: number; events: number }) => void;
}

export type RunnerEvent =
  | {
      readonly type: 'projectionState';
      readonly projection: string;
      readonly from: RunnerState;
      readonly to: RunnerState;
    }
  | {
      readonly type: 'projectionFailed';
      readonly projection: string;
      readonly trigger: RunnerTrigger;
      readonly error: unknown;
    };

/** More batches than this behind the log's end, and a live runner is catching up again. */
const FALLEN_BEHIND_BATCHES = 4;

/** The read model and the log do not belong together. */
export class LogMismatchError extends Error {
  override readonly name = 'LogMismatchError';
}

function assertSameLog(
  name: string,
  version: Version,
  claim: Claim,
  log: { epoch: string; lastSeq: number },
): void {
  const remedy = `Restore the right log, or build the read model anew: chat-backend projections rebuild ${name}`;
  if (version.epoch !== log.epoch) {
    const message = `was built from the log of epoch ${version.epoch}, but the log's epoch is ${log.epoch}`;
    throw new LogMismatchError(`Read model ${name} ${message}. ${remedy}`);
  }
  if (claim.seq > log.lastSeq) {
    const message = `has events up to ${claim.seq}, but the log ends at ${log.lastSeq}: its tail was lost`;
    throw new LogMismatchError(`Read model ${name} ${message}. ${remedy}`);
  }
}

/**
 * Begins a batch's transaction. It must be on disk before it counts as done, whatever the server's default is. And a
 * batch is small against its tables, which the planner cannot know of tables that grow from nothing: without these
 * settings it reads them whole for every batch, instead of looking up each row by its index.
 */
const BEGIN_BATCH = `
  BEGIN; SET LOCAL synchronous_commit TO on; SET LOCAL enable_seqscan TO off;
  SET LOCAL enable_hashjoin TO off; SET LOCAL enable_mergejoin TO off; SAVEPOINT ${BATCH_SAVEPOINT}`;

function triggerOf(error: unknown): 'fenced' | 'failed' | 'unrecoverable' {
  if (error instanceof FencedError) return 'fenced';
  if (error instanceof UndecodableEventError || error instanceof LogMismatchError) return 'unrecoverable';
  return isDataError(error) ? 'unrecoverable' : 'failed';
}

/**
 * Classes 22 (data exception) and 23 (integrity violation): the same batch fails in the same way for ever.
 * Source: PostgreSQL manual, appendix A.
 */
function isDataError(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return typeof error.code === 'string' && /^2[23]/.test(error.code);
}
