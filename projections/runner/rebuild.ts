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
      waiters.check();
    },
    onCommit: ({ seq, events }) => {
      options.onProgress?.({ seq, lastSeq: Math.max(seq, lastSeq), events });
      waiters.check();
    },
  });
  runner.start();
  try {
    // The log's end of now, unless its last events were erased: then the end of what there is.
    await waiters.until(
      () => runner.state === 'live' && ((runner.checkpoint ?? 0) >= lastSeq || runner.behind === 0),
    );
    const reach = async (seq: number) => {
      await waiters.within(SWITCH_MS_MAX, () => (runner.checkpoint ?? 0) >= seq);
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
  #waiting: { condition: () => boolean; resolve: () => void; reject: (error: Error) => void } | null = null;
  #fatal: RebuildFailedError | null = null;

  /** A passing failure is retried by the runner; being fenced or halted ends the rebuild. */
  noteFailure(event: Extract<RunnerEvent, { type: 'projectionFailed' }>): void {
    if (event.trigger === 'failed') return;
    const reason = event.error instanceof Error ? event.error.message : String(event.error);
    this.#fatal = new RebuildFailedError(`The rebuild of ${event.projection} ended: ${reason}`, {
      cause: event.error,
    });
    this.check();
  }

  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting = { condition, resolve, reject };
      this.check();
    });
  }

  async within(timeoutMs: number, condition: () => boolean): Promise<void> {
    const message = `The new version did not catch up within ${timeoutMs} ms; nothing was switched. Run it again.`;
    const { promise: late, cancel } = timeout(timeoutMs, new RebuildFailedError(message));
    await Promise.race([this.until(condition), late]).finally(cancel);
  }

  check(): void {
    if (this.#fatal !== null) this.#waiting?.reject(this.#fatal);
    else if (this.#waiting?.condition()) this.#waiting.resolve();
  }
}

function timeout(ms: number, error: Error): { promise: Promise<never>; cancel: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const promise = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(error), ms);
  });
  return { promise, cancel: () => clearTimeout(timer) };
}
