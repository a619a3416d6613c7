import pg from 'pg';
import type { HistoryChanges } from '../../../projections/history/changes.ts';
import { historyProjection } from '../../../projections/history/history.ts';
import { PostgresStore } from '../../../projections/runner/postgresStore.ts';
import type { RebuildOptions } from '../../../projections/runner/rebuild.ts';
import { ProjectionRunner } from '../../../projections/runner/runner.ts';
import { encodeEvent } from '../../../src/contracts/events/events.ts';
import { type ChatEvent, categoryOf } from '../../../src/domain/conversation/events.ts';
import { MemoryEventLog } from '../../../src/eventlog/memory/memoryEventLog.ts';
import { projectRootUrl } from '../../../src/platform/embedded/projectRootUrl.ts';
import { systemIds } from '../../../src/platform/ids.ts';
import { systemTimers } from '../../../src/platform/time/timers.ts';
import { waitFor } from '../time/waitFor.ts';
import { createMigratedDatabase } from './historyDatabase.ts';

/** A log in memory, a fresh database, and what builds the history from the one in the other. */
export async function openProjectedLog() {
  const database = await createMigratedDatabase();
  const pool = new pg.Pool({ connectionString: database.url, max: 8 });
  pool.on('error', () => {});
  const log = new MemoryEventLog();
  const history = historyProjection(projectRootUrl());
  const runners: { stop(): Promise<void>; checkpoint: number | null }[] = [];
  const append = async (...events: readonly ChatEvent[]) => {
    let last = 0;
    for (const event of events) last = await appendEvent(log, event);
    return last;
  };
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

async function appendEvent(log: MemoryEventLog, event: ChatEvent): Promise<number> {
  const { conversationId } = event;
  const request = { conversationId, category: categoryOf(event), bytes: encodeEvent(event) };
  const result = await log.append({ ...request, idempotencyKey: systemIds.idempotencyKey() });
  if (result.outcome !== 'stored') throw new Error('An unconditional append cannot conflict');
  return result.seq;
}
