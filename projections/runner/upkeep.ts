import type { Pool } from 'pg';
import { PeriodicTask } from '../../src/platform/time/periodicTask.ts';
import type { Timers } from '../../src/ports/timers.ts';
import type { Rebuilt } from './rebuild.ts';
import { dropLeftOver, liveVersion, type VersionedProjection } from './versions.ts';

export interface UpkeepOptions {
  readonly projection: VersionedProjection;
  readonly pool: Pool;
  readonly timers: Timers;
  readonly random: () => number;
  /** Rebuilds the projection and switches to it, until the signal aborts. */
  readonly rebuild: (signal: AbortSignal) => Promise<Rebuilt>;
  readonly onEvent: (event: UpkeepEvent) => void;
  /** Between two checks, in milliseconds, give or take a quarter. Default 30,000. */
  readonly everyMs?: number;
  /** How long a replaced version is kept, for those who still read it, in milliseconds. Default an hour. */
  readonly retiredForMs?: number;
}

export type UpkeepEvent =
  | {
      readonly type: 'outdated';
      readonly projection: string;
      readonly format: number;
      readonly wanted: number;
    }
  | { readonly type: 'renewed'; readonly projection: string; readonly version: number }
  | { readonly type: 'dropped'; readonly projection: string; readonly versions: readonly number[] }
  | { readonly type: 'upkeepFailed'; readonly projection: string; readonly error: unknown };

const EVERY_MS = 30_000;
const RETIRED_FOR_MS = 3_600_000;

/**
 * What needs no operator: a read model whose tables are of an older format than the code writes is rebuilt beside the old
 * one, which is read meanwhile; versions that were replaced are dropped some time later.
 *
 * Every process checks; the first to come rebuilds, the others find that it does and check again later.
 */
export class Upkeep {
  readonly #options: UpkeepOptions;
  readonly #task: PeriodicTask;

  constructor(options: UpkeepOptions) {
    this.#options = options;
    const { timers, random, everyMs = EVERY_MS, projection, onEvent } = options;
    this.#task = new PeriodicTask({
      run: (signal) => this.#run(signal),
      ...{ timers, random, intervalMs: everyMs, jitter: 0.25 },
      onError: (error) => onEvent({ type: 'upkeepFailed', projection: projection.name, error }),
    });
  }

  start(): void {
    this.#task.start();
  }

  /** Ends a rebuild in flight: the next one goes on with it. */
  stop(): Promise<void> {
    return this.#task.stop();
  }

  async #run(signal: AbortSignal): Promise<void> {
    try {
      await this.#check(signal);
    } catch (error) {
      // A rebuild that was stopped has not failed.
      if (!signal.aborted) throw error;
    }
  }

  async #check(signal: AbortSignal): Promise<void> {
    const { projection, pool, onEvent, rebuild, retiredForMs = RETIRED_FOR_MS } = this.#options;
    const { name, format: wanted } = projection;
    const live = await liveVersion(pool, name);
    if (live !== null && live.format < wanted) {
      onEvent({ type: 'outdated', projection: name, format: live.format, wanted });
      const { version } = await rebuild(signal);
      onEvent({ type: 'renewed', projection: name, version: version.version });
    }
    const versions = await dropLeftOver(pool, projection, retiredForMs);
    if (versions.length > 0) onEvent({ type: 'dropped', projection: name, versions });
  }
}
