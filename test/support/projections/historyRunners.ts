import pg from 'pg';
import { expect } from 'vitest';
import { historyProjection } from '../../../projections/history/history.ts';
import { PostgresStore } from '../../../projections/runner/postgresStore.ts';
import { ProjectionRunner, type RunnerEvent } from '../../../projections/runner/runner.ts';
import { groupOf } from '../../../src/contracts/events/subjects.ts';
import type { MemoryEventLog } from '../../../src/eventlog/memory/memoryEventLog.ts';
import { verify } from '../../../src/maintenance/audit/verify.ts';
import { projectRootUrl } from '../../../src/platform/embedded/projectRootUrl.ts';
import { systemTimers } from '../../../src/platform/time/timers.ts';
import { createMigratedDatabase } from './historyDatabase.ts';

export type HistoryRunners = Awaited<ReturnType<typeof openHistoryRunners>>;

/** A fresh database, and as many runners of the history as a test starts, on any logs in memory. */
export async function openHistoryRunners() {
  const database = await createMigratedDatabase();
  const pool = new pg.Pool({ connectionString: database.url, max: 8 });
  pool.on('error', () => {});
  const projection = historyProjection(projectRootUrl());
  const runners: { stop(): Promise<void> }[] = [];
  const start = (log: MemoryEventLog, batchMax = 100) => {
    const events: RunnerEvent[] = [];
    const runner = new ProjectionRunner({
      projection,
      store: new PostgresStore({ projection, pool, worker: `test${runners.length}` }),
      log,
      feed: log,
      timers: systemTimers,
      batchMax,
      onEvent: (event) => {
        events.push(event);
      },
    });
    runners.push(runner);
    runner.start();
    return { runner, events };
  };
  const rebuildOptions = (log: MemoryEventLog, batchMax: number) => ({
    ...{ projection, pool, log, feed: log, batchMax },
    ...{ timers: systemTimers, worker: 'rebuild' },
  });
  /** Of the group that the conversation belongs to. */
  const checkpointOf = async (conversationId: string): Promise<number> => {
    const sql = 'SELECT seq::int FROM projection_checkpoints WHERE partition_group = $1';
    return (await pool.query(sql, [groupOf(conversationId)])).rows[0].seq;
  };
  /** @returns how many messages log and history agree on */
  const expectNoDifferences = async (log: MemoryEventLog): Promise<number> => {
    const result = await verify({ log, feed: log, pool, waitMsMax: 45_000 });
    expect(result.differences).toEqual([]);
    return result.messages;
  };
  const close = async () => {
    await Promise.all(runners.map((runner) => runner.stop()));
    await pool.end();
    await database.drop();
  };
  return { pool, projection, start, rebuildOptions, checkpointOf, expectNoDifferences, close };
}

/** Why a runner failed first, as text; empty when it has not. */
export function firstFailure(events: readonly RunnerEvent[]): string {
  const failure = events.find((event) => event.type === 'projectionFailed');
  return failure?.type === 'projectionFailed' ? String(failure.error) : '';
}
