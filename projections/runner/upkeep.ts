import type { Pool } from 'pg';
import { pause } from '../../src/platform/time/pause.ts';
import type { Timers } from '../../src/ports/timers.ts';
import type { Rebuilt } from './rebuild.ts';
import { dropLeftOver, liveVersion, type VersionedProjection } from './versions.ts';

export interface UpkeepOptions {
  readonly projection: VersionedProjection;
  readonly pool: Pool;
  readonly timers: Timers;
  readonly random: () => number;
  /** Builds the projection anew and switches to it, until the signal aborts. */
  readonly rebuild: (signal: AbortSignal) => Promise<Rebuilt>;
  readonly onEvent: (event: UpkeepEvent) => void;
  /** Between two looks, in milliseconds. Default 30,000. */
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
 * What nobody should have to think of: a read model whose tables are of an older format than the code writes is built anew
 * beside the old one, which is read meanwhile; versions that were replaced are dropped some time later.
 *
 * Every process does it; the first to come builds, the others find that somebody does and look again.
 */
export class Upkeep {
  readonly #options: UpkeepOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(options: UpkeepOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Ends a rebuild under way: whoever comes next goes on with it. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { timers, random, onEvent, everyMs = EVERY_MS, projection } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.#look();
      } catch (error) {
        if (!signal.aborted) onEvent({ type: 'upkeepFailed', projection: projection.name, error });
      }
      await pause(timers, everyMs * (0.75 + random() / 2), signal);
    }
  }

  async #look(): Promise<void> {
    const { projection, pool, onEvent, rebuild, retiredForMs = RETIRED_FOR_MS } = this.#options;
    const { name, format: wanted } = projection;
    const live = await liveVersion(pool, name);
    if (live !== null && live.format < wanted) {
      onEvent({ type: 'outdated', projection: name, format: live.format, wanted });
      const { version } = await rebuild(this.#stopping.signal);
      onEvent({ type: 'renewed', projection: name, version: version.version });
    }
    const versions = await dropLeftOver(pool, projection, retiredForMs);
    if (versions.length > 0) onEvent({ type: 'dropped', projection: name, versions });
  }
}
