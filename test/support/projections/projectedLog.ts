import pg from 'pg';
import type { HistoryChanges } from '../../../projections/history/changes.ts';
import { historyProjection } from '../../../projections/history/history.ts';
import { PostgresStore } from '../../../projections/runner/postgresStore.ts';
import type { RebuildOptions } from '../../../projections/runner/rebuild.ts';
import { ProjectionRunner } from '../../../projections/runner/runner.ts';
import type { ChatEvent } from '../../../src/domain/conversation/events.ts';
import { MemoryEventLog } from '../../../src/eventlog/memory/memoryEventLog.ts';
import { projectRootUrl } from '../../../src/platform/embedded/projectRootUrl.ts';
import { systemTimers } from '../../../src/platform/time/timers.ts';
import { waitFor } from '../time/waitFor.ts';
import { appendEvents } from './appendEvents.ts';
import { createMigratedDatabase } from './historyDatabase.ts';

/** A log in memory, a fresh database, and what builds the history from the one in the other. */
export async function openProjectedLog() {
  const database = await createMigratedDatabase();
  const pool = new pg.Pool({ connectionString: database.url, max: 8 });
  pool.on('error', () => {});
  const log = new MemoryEventLog();
  const history = historyProjection(projectRootUrl());
  const runners: { stop(): Promise<void>; checkpoint: number | null }[] = [];
  const append = (...events: readonly ChatEvent[]) => appendEvents(log, ...events);
  const start = () => {
    const projection = history;
    const store = new PostgresStore({ projection, pool, worker: `test${runners.length}` });
    const runner = new ProjectionRunner({
      projection,
      store,
      log,
      feed: log,
      timers: systemTimers,
      batchMax: 50,
    });
    runners.push(runner);
    runner.start();
    return runner;
  };
  const caughtUp = async () => {
    const { lastSeq } = await log.status();
    await waitFor('all to be projected', () => runners.some(({ checkpoint }) => checkpoint === lastSeq));
  };
  const rebuildOptions: RebuildOptions<HistoryChanges> = {
    projection: history,
    ...{ pool, log, feed: log, timers: systemTimers, worker: 'rebuild', batchMax: 50 },
  };
  const close = async () => {
    await Promise.all(runners.map((runner) => runner.stop()));
    await pool.end();
    await database.drop();
  };
  return { pool, log, history, append, start, caughtUp, rebuildOptions, close };
}
