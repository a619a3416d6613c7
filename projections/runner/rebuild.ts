import type { ClientBase, Pool } from 'pg';
import type { EventFeed } from '../../src/ports/eventFeed.ts';
import type { EventLog, LogStatus } from '../../src/ports/eventLog.ts';
import type { Timers } from '../../src/ports/timers.ts';
import { type Comparison, compareVersions, recompare } from './comparison.ts';
import { readCheckpoints } from './control/checkpoints.ts';
import { seeLog } from './control/logLineage.ts';
import { PostgresStore } from './postgresStore.ts';
import { type Projection, schemaOf } from './projection.ts';
import { assertNothingLost, RebuildFailedError } from './rebuildGuard.ts';
import { RebuildWaiter } from './rebuildWaiter.ts';
import { ProjectionRunner, type RunnerEvent } from './runner.ts';
import type { Checkpoint, Version } from './store.ts';
import {
  copyVersion,
  discardVersion,
  ensureBuildingVersion,
  liveVersion,
  switchVersion,
} from './versions.ts';

export interface RebuildOptions<Changes> {
  readonly projection: Projection<Changes>;
  readonly pool: Pool;
  readonly log: EventLog;
  readonly feed: EventFeed;
  readonly timers: Timers;
  /** Names this worker among all: `host:pid:random`. */
  readonly worker: string;
  readonly batchMax: number;
  /** Begin with a copy of the live version and replay the log from this sequence on. */
  readonly from?: number | undefined;
  /** Build and compare, then throw away what was built. */
  readonly dryRun?: boolean | undefined;
  /** Do not switch when the new version differs from the live one. */
  readonly requireEqual?: boolean | undefined;
  /** Go on although this read model is all that is left of what the log has lost. */
  readonly acceptLoss?: boolean | undefined;
  /** Waits before a transaction of `events` events, to spare the others. */
  readonly throttle?: (events: number) => Promise<void>;
  /** Ends it; the next call goes on where it was. */
  readonly signal?: AbortSignal | undefined;
  /** Called after every commit with the sequence reached by all groups, and where it is to get to as last seen. */
  readonly onProgress?: (progress: { seq: number; lastSeq: number; events: number }) => void;
  readonly onEvent?: (event: RunnerEvent) => void;
}

export interface Rebuilt {
  readonly version: Version;
  readonly switched: boolean;
  /** With the version that was live; `null` when the two cannot be compared. */
  readonly comparison: Comparison | null;
}

/** How long the live workers are held at their checkpoints while the new version comes there, in milliseconds. */
const SWITCH_MS_MAX = 10_000;
/** The new version is near the live one when it needs no longer than this to reach where that one was, in milliseconds. */
const NEAR_MS = 1_000;

/**
 * Rebuilds a read model beside the live one, compares the two, and switches, at one sequence. Reads go on all the while; an
 * interrupted rebuild goes on where it was when it is called again.
 *
 * While the live version is of the same log and format, the new one follows it closely and never passes it: so
 * at the end both can be held at the same checkpoints and compared.
 *
 * @throws RebuildFailedError, RebuildLosesError
 */
export async function rebuild<Changes>(options: RebuildOptions<Changes>): Promise<Rebuilt> {
  const { pool, projection, log } = options;
  const status = await log.status();
  const live = await liveVersion(pool, projection.name);
  await assertNothingLost(options);
  const comparable =
    live !== null && live.epoch === status.epoch && live.format === projection.format ? live : null;
  const { from } = options;
  const copy = from === undefined ? null : await copyToBeginWith(options, from, comparable);
  const version = await ensureBuildingVersion(pool, projection, await seeLog(log));
  if (copy !== null) await beginWith(options, copy, version);
  const build = new Build(options, version, comparable, status);
  return build.run();
}

/** Where a rebuild begins that does not begin with the first event. */
interface Copy {
  readonly source: number;
  readonly from: number;
  readonly rewindSql: (schema: string) => readonly string[];
}

/** @throws RebuildFailedError when the read model cannot be built from there on */
async function copyToBeginWith<Changes>(
  { pool, projection }: RebuildOptions<Changes>,
  from: number,
  source: Version | null,
): Promise<Copy> {
  const { name, rewindSql } = projection;
  const cannot = (reason: string) =>
    new RebuildFailedError(
      `${name} cannot be built from event ${from} on: ${reason}. Build it from the start.`,
    );
  if (rewindSql === undefined) throw cannot('what it counts cannot be taken back');
  if (source === null) throw cannot('there is no live version of the same log and format to begin with');
  const reached = await readCheckpoints(pool, name, source.version);
  const lowest = Math.min(...[...reached.values()].map(({ seq }) => seq));
  if (from < 1 || from > lowest) throw cannot(`the live version is at ${lowest}`);
  return { source: source.version, from, rewindSql };
}

async function beginWith<Changes>(
  { pool, projection }: RebuildOptions<Changes>,
  { source, from, rewindSql }: Copy,
  target: Version,
): Promise<void> {
  const reached = await readCheckpoints(pool, projection.name, target.version);
  // An interrupted one goes on where it was.
  if ([...reached.values()].some(({ seq }) => seq > 0)) return;
  const statements = rewindSql(schemaOf(projection.name, target.version));
  await copyVersion(pool, projection, { source, target: target.version, from, statements });
}

/** One run of one rebuild. */
class Build<Changes> {
  readonly #options: RebuildOptions<Changes>;
  readonly #version: Version;
  /** The live version, when the new one can be compared with it. */
  readonly #live: Version | null;
  readonly #status: LogStatus;
  readonly #waiter: RebuildWaiter;
  readonly #runner: ProjectionRunner<Changes>;
  #ceilings: ReadonlyMap<number, Checkpoint> = new Map();

  constructor(options: RebuildOptions<Changes>, version: Version, live: Version | null, status: LogStatus) {
    this.#options = options;
    this.#version = version;
    this.#live = live;
    this.#status = status;
    this.#waiter = new RebuildWaiter(options.timers);
    const { projection, pool, worker } = options;
    this.#runner = new ProjectionRunner({
      ...options,
      store: new PostgresStore({ projection, pool, worker, version }),
      ...(live !== null && { ceiling: (group: number) => this.#ceilings.get(group) ?? NOWHERE }),
      onEvent: (event) => this.#onEvent(event),
      onCommit: ({ events }) => this.#onCommit(events),
    });
  }

  async run(): Promise<Rebuilt> {
    const stop = () =>
      this.#waiter.fail(new RebuildFailedError('The rebuild was stopped; run it again to go on.'));
    this.#options.signal?.addEventListener('abort', stop, { once: true });
    if (this.#options.signal?.aborted) stop();
    if (this.#live !== null) await this.#readCeilings(this.#live);
    this.#runner.start();
    try {
      await this.#catchUp();
      const candidates = this.#live === null ? null : await this.#compare(this.#live);
      return await this.#switch(candidates);
    } finally {
      this.#options.signal?.removeEventListener('abort', stop);
      await this.#runner.stop();
    }
  }

  async #catchUp(): Promise<void> {
    const { lastSeq } = this.#status;
    if (this.#live === null) {
      // The log's end of now, unless its last events were erased: then the end of what there is.
      return this.#waiter.until(
        () =>
          this.#runner.state === 'live' &&
          ((this.#runner.checkpoint ?? 0) >= lastSeq || this.#runner.behind === 0),
      );
    }
    // The live version goes on meanwhile: near is when its commits since the last check are made up for at once.
    for (let near = false; !near; ) {
      await this.#readCeilings(this.#live);
      const late = this.#waiter.deadline(NEAR_MS);
      await this.#waiter.until(() => this.#hasReached(this.#ceilings));
      near = !late();
    }
  }

  #hasReached(targets: ReadonlyMap<number, Checkpoint>): boolean {
    const { checkpoints } = this.#runner;
    return [...targets].every(([group, { seq }]) => (checkpoints.get(group) ?? -1) >= seq);
  }

  async #readCeilings(live: Version): Promise<void> {
    const { pool, projection } = this.#options;
    this.#ceilings = await readCheckpoints(pool, projection.name, live.version);
  }

  #compare(live: Version): Promise<Comparison> {
    const { pool, projection } = this.#options;
    return compareVersions(pool, projection, live.version, this.#version.version);
  }

  async #switch(candidates: Comparison | null): Promise<Rebuilt> {
    const { pool, projection, dryRun = false } = this.#options;
    let comparison = candidates;
    const reach = async (checkpoints: ReadonlyMap<number, Checkpoint>, client: ClientBase) => {
      await this.#reach(checkpoints);
      comparison = await this.#settle(candidates, client);
    };
    await switchVersion(pool, projection, { to: this.#version, reach, dryRun });
    if (!dryRun) return { version: { ...this.#version, status: 'live' }, switched: true, comparison };
    await discardVersion(pool, projection, this.#version);
    return { version: this.#version, switched: false, comparison };
  }

  /** Brings the new version to where the live one is held. */
  async #reach(targets: ReadonlyMap<number, Checkpoint>): Promise<void> {
    if (this.#live !== null) this.#ceilings = targets;
    await this.#waiter.within(
      SWITCH_MS_MAX,
      () => this.#hasReached(targets),
      'The new version did not come to where the live one is; nothing was switched. Run it again.',
    );
    // Nothing must move this version's checkpoints while it becomes the live one.
    await this.#runner.stop();
  }

  async #settle(candidates: Comparison | null, client: ClientBase): Promise<Comparison | null> {
    if (candidates === null || this.#live === null) return null;
    const { projection, requireEqual } = this.#options;
    const versions = [this.#live.version, this.#version.version] as const;
    const different = await recompare(client, projection, versions, candidates.different);
    if (requireEqual === true && different.length > 0) {
      const which = different.slice(0, 5).join(', ');
      throw new RebuildFailedError(
        `${projection.name} rebuilt differs from the live version in ${different.length} places (${which} …); ` +
          'nothing was switched. Check with --dry-run, then run it without --require-equal.',
      );
    }
    return { compared: candidates.compared, different };
  }

  #onEvent(event: RunnerEvent): void {
    this.#options.onEvent?.(event);
    // A passing failure is retried by the runner; being replaced or halted ends the rebuild.
    if (event.type === 'projectionFailed' && event.trigger !== 'failed') {
      const reason = event.error instanceof Error ? event.error.message : String(event.error);
      const message = `The rebuild of ${event.projection} ended: ${reason}`;
      this.#waiter.fail(new RebuildFailedError(message, { cause: event.error }));
    }
    if (event.type === 'projectionState' && event.to === 'standby') {
      const message = `Another process is rebuilding ${event.projection} already: see "chat-backend projections info".`;
      this.#waiter.fail(new RebuildFailedError(message));
    }
    this.#waiter.check();
  }

  #onCommit(events: number): void {
    const seq = this.#runner.checkpoint ?? 0;
    const ceilings = [...this.#ceilings.values()].map(({ seq: ceiling }) => ceiling);
    const lastSeq = Math.max(seq, this.#live === null ? this.#status.lastSeq : Math.max(0, ...ceilings));
    this.#options.onProgress?.({ seq, lastSeq, events });
    this.#waiter.check();
  }
}

/** Before the first event: where nothing may be projected yet. */
const NOWHERE: Checkpoint = { seq: 0, storedAtMs: 0, fingerprint: null };
