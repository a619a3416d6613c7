import type { Pool } from 'pg';
import type { EventFeed } from '../../src/ports/eventFeed.ts';
import type { EventLog } from '../../src/ports/eventLog.ts';
import type { Projection } from './projection.ts';
import { ProjectionRunner, type RunnerEvent } from './runner.ts';
import { ensureBuildingVersion, switchVersion, type Version } from './versions.ts';

export interface RebuildOptions<Changes> {
  readonly projection: Projection<Changes>;
  readonly pool: Pool;
  readonly log: EventLog;
  readonly feed: EventFeed;
  readonly batchMax: number;
  /** Called after every commit with the sequence reached and the log's end as last seen. */
  readonly onProgress?: (progress: { seq: number; lastSeq: number; events: number }) => void;
  readonly onEvent?: (event: RunnerEvent) => void;
}

/** The new version could not be built or switched to; the live one is as it was. */
export class RebuildFailedError extends Error {
  override readonly name = 'RebuildFailedError';
}

/** How long the live worker is held at its checkpoint while the new version passes it, in milliseconds. */
const SWITCH_MS_MAX = 10_000;

/**
 * Builds a read model anew beside the live one and switches to it. Reads go on all the while; an interrupted rebuild
 * goes on where it was when it is called again.
 *
 * @returns the version that is live now
 * @throws RebuildFailedError
 */
export async function rebuild<Changes>(options: RebuildOptions<Changes>): Promise<Version> {
  const { pool, projection, log } = options;
  const { epoch, lastSeq } = await log.status();
  const version = await ensureBuildingVersion(pool, projection, epoch);
  const waiters = new Waiters();
  const runner = new ProjectionRunner({
    ...options,
    version,
    onEvent: (event) => {
      options.onEvent?.(event);
      if (event.type === 'projectionFailed') waiters.noteFailure(event);
      if (event.type === 'projectionState' && event.to === 'live') waiters.noteLive();
    },
    onCommit: ({ seq, events }) => {
      options.onProgress?.({ seq, lastSeq: Math.max(seq, lastSeq), events });
      waiters.noteSeq(seq);
    },
  });
  runner.start();
  try {
    await waiters.live();
    const reach = async (seq: number) => {
      if ((runner.checkpoint ?? 0) < seq) await waiters.reached(seq, SWITCH_MS_MAX);
      // Nothing must move this version's checkpoint while it becomes the live one.
      await runner.stop();
    };
    await switchVersion(pool, projection, version, reach);
  } finally {
    await runner.stop();
  }
  return { ...version, status: 'live' };
}

/** Turns the runner's events into promises. One rebuild waits for one thing at a time. */
class Waiters {
  #waiting: { until: () => boolean; resolve: () => void; reject: (error: Error) => void } | null = null;
  #isLive = false;
  #seq = 0;
  #fatal: RebuildFailedError | null = null;

  noteLive(): void {
    this.#isLive = true;
    this.#check();
  }

  noteSeq(seq: number): void {
    this.#seq = seq;
    this.#check();
  }

  /** A passing failure is retried by the runner; being fenced or halted ends the rebuild. */
  noteFailure(event: Extract<RunnerEvent, { type: 'projectionFailed' }>): void {
    if (event.trigger === 'failed') return;
    const reason = event.error instanceof Error ? event.error.message : String(event.error);
    this.#fatal = new RebuildFailedError(`The rebuild of ${event.projection} ended: ${reason}`, {
      cause: event.error,
    });
    this.#check();
  }

  live(): Promise<void> {
    return this.#wait(() => this.#isLive);
  }

  async reached(seq: number, timeoutMs: number): Promise<void> {
    const message = `The new version did not reach ${seq} within ${timeoutMs} ms; nothing was switched. Run it again.`;
    const { promise: late, cancel } = timeout(timeoutMs, new RebuildFailedError(message));
    await Promise.race([this.#wait(() => this.#seq >= seq), late]).finally(cancel);
  }

  #wait(until: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting = { until, resolve, reject };
      this.#check();
    });
  }

  #check(): void {
    if (this.#waiting === null) return;
    if (this.#fatal !== null) this.#waiting.reject(this.#fatal);
    else if (this.#waiting.until()) this.#waiting.resolve();
  }
}

function timeout(ms: number, error: Error): { promise: Promise<never>; cancel: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const promise = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(error), ms);
  });
  return { promise, cancel: () => clearTimeout(timer) };
}
