import { backoffMs } from '../../src/platform/time/backoff.ts';
import { pause } from '../../src/platform/time/pause.ts';
import type { EventFeed } from '../../src/ports/eventFeed.ts';
import type { EventLog } from '../../src/ports/eventLog.ts';
import type { Timers } from '../../src/ports/timers.ts';
import { type SeenLog, seeLog } from './control/logLineage.ts';
import type { CommitNotice } from './groupWorker.ts';
import { assertSameLog, LogRegressedError } from './logGuard.ts';
import type { Projection } from './projection.ts';
import { RETRY_BACKOFF } from './retryBackoff.ts';
import { HEARTBEAT_MS, RunnerSession } from './runnerSession.ts';
import { type RunnerState, type RunnerTrigger, transition } from './states.ts';
import { type Assignment, type Checkpoint, FencedError, HaltError, type ProjectionStore } from './store.ts';

/**
 * One worker of one projection: builds its share of the partition groups from the log. The states are those of
 * `states.ts`; what is done in `catchingUp` and `live` is a {@link RunnerSession}.
 *
 * Invariants:
 * - Checkpoint and rows of a batch are written in one transaction, the checkpoint by compare-and-set under a claim: each
 *   event is in the read model exactly once, whichever worker dies, freezes or comes back when.
 * - A group's batches are projected in the order of the log, one at a time. Nothing is skipped: an event that cannot be
 *   projected parks its conversation or halts the projection.
 * - In memory are at most two batches of each group; then the feed is held up.
 */
export class ProjectionRunner<Changes> {
  readonly #options: RunnerOptions<Changes>;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #session: RunnerSession<Changes> | null = null;
  #failuresInARow = 0;
  #reason: string | null = null;
  #resumes = 0;
  state: RunnerState = 'idle';
  /** Events that waited at the last commit; `null` before the first. */
  behind: number | null = null;

  constructor(options: RunnerOptions<Changes>) {
    this.#options = options;
  }

  /** The checkpoint of each group that this worker has. */
  get checkpoints(): ReadonlyMap<number, number> {
    return this.#session?.checkpoints ?? new Map();
  }

  /** The lowest checkpoint of its groups; `null` while it has none. */
  get checkpoint(): number | null {
    const { checkpoints } = this;
    return checkpoints.size === 0 ? null : Math.min(...checkpoints.values());
  }

  start(): void {
    if (this.state !== 'idle') return;
    this.#become('start');
    this.#running = this.#run();
  }

  /** Lets the transactions in flight commit, gives the groups back, then ends. */
  async stop(): Promise<void> {
    if (this.state === 'stopped') return;
    this.#stopping.abort();
    this.#session?.end();
    await this.#running;
    // Without it the groups are taken over when the leases end, seconds later.
    if (this.state !== 'idle') await this.#options.store.leave().catch(() => {});
    this.#become('stop');
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      switch (this.state) {
        case 'backoff':
          await this.#rest(backoffMs(RETRY_BACKOFF, this.#failuresInARow, this.#random));
          break;
        case 'standby':
        case 'paused':
          await this.#rest(HEARTBEAT_MS);
          break;
        case 'halted':
          await this.#waitForOperator();
          break;
        default:
          await this.#attempt();
      }
    }
  }

  /** Works until stopped or something happens; what happened decides the next state. */
  async #attempt(): Promise<void> {
    try {
      await this.#work().catch((error: unknown) => this.#makeKnown(error));
    } catch (error) {
      this.#failuresInARow += 1;
      this.#reason = error instanceof Error ? error.message : String(error);
      const trigger = triggerOf(error);
      this.#become(trigger);
      this.#options.onEvent?.({ type: 'projectionFailed', projection: this.#name, trigger, error });
    } finally {
      this.#session = null;
    }
  }

  async #work(): Promise<void> {
    const { log, projection, timers, onCommit } = this.#options;
    const seen = await seeLog(log);
    const heartbeat = () => this.#heartbeat(seen);
    const { paused, claims } = await heartbeat();
    if (paused) return this.#become('pausedByOperator');
    if (claims.length === 0) return this.#become('unassigned');
    await assertSameLog(projection.name, claims, log, timers);
    const session = new RunnerSession(claims, {
      ...this.#options,
      heartbeat,
      random: this.#random,
      onCommit: (commit) => {
        this.#failuresInARow = 0;
        onCommit?.(commit);
      },
      onProgress: (behind) => this.#noteProgress(behind),
    });
    this.#session = session;
    if (this.#stopping.signal.aborted) return;
    const end = await session.run(() => this.#become('opened'));
    if (end === 'reassigned') this.#become('reassigned');
  }

  /**
   * A log that lost its tail must not pass for the one that it was: positions from before are no positions of it. When
   * that cannot be noted now, whatever failed is tried again, and comes here again.
   */
  async #makeKnown(error: unknown): Promise<never> {
    if (error instanceof LogRegressedError && error.renewal !== null) {
      await this.#options.log.renewEpoch(error.renewal);
    }
    throw error;
  }

  async #heartbeat(log: SeenLog): Promise<Assignment> {
    const { state } = this;
    const assignment = await this.#options.store.heartbeat(log, { state, reason: null });
    this.#resumes = assignment.resumes;
    this.#reason = null;
    return assignment;
  }

  async #waitForOperator(): Promise<void> {
    const report = { state: this.state, reason: this.#reason };
    try {
      const { resumes } = await this.#options.store.standBy(report);
      if (resumes !== this.#resumes) {
        this.#resumes = resumes;
        return this.#become('resumedByOperator');
      }
    } catch {
      // The database is away: it is asked again in a moment.
    }
    await pause(this.#options.timers, HEARTBEAT_MS, this.#stopping.signal);
  }

  #noteProgress(behind: number): void {
    const { batchMax } = this.#options;
    this.behind = behind;
    if (behind <= batchMax) this.#become('caughtUp');
    else if (behind > FALLEN_BEHIND_BATCHES * batchMax) this.#become('fellBehind');
  }

  async #rest(ms: number): Promise<void> {
    await pause(this.#options.timers, ms, this.#stopping.signal);
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

  get #random(): () => number {
    return this.#options.random ?? Math.random;
  }
}

export interface RunnerOptions<Changes> {
  readonly projection: Pick<Projection<Changes>, 'name' | 'project'>;
  readonly store: ProjectionStore<Changes>;
  readonly log: EventLog;
  readonly feed: EventFeed;
  readonly timers: Timers;
  /** For jitter. Default Math.random. */
  readonly random?: () => number;
  /** Events in one transaction, at most. */
  readonly batchMax: number;
  /** Waits before a transaction of `events` events, to spare the others. */
  readonly throttle?: (events: number) => Promise<void>;
  /** Nothing after this checkpoint is projected for now; `null`: no bound. */
  readonly ceiling?: (group: number) => Checkpoint | null;
  readonly onEvent?: (event: RunnerEvent) => void;
  /** Called after every commit. */
  readonly onCommit?: (commit: CommitNotice) => void;
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

/** A live runner that is more batches than this behind the log's end is catching up again. */
const FALLEN_BEHIND_BATCHES = 4;

function triggerOf(error: unknown): 'fenced' | 'failed' | 'unrecoverable' {
  if (error instanceof FencedError) return 'fenced';
  return error instanceof HaltError ? 'unrecoverable' : 'failed';
}
