import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { historyProjection } from '../../projections/history/history.ts';
import { PostgresStore } from '../../projections/runner/postgresStore.ts';
import { ProjectionRunner } from '../../projections/runner/runner.ts';
import type { JetStreamLog } from '../../src/eventlog/jetstream/jetStreamLog.ts';
import { projectRootUrl } from '../../src/platform/embedded/projectRootUrl.ts';
import { migrate } from '../../src/platform/postgres/migrations/migrate.ts';
import { systemTimers } from '../../src/platform/time/timers.ts';

/** As `PROJECTION_BATCH_EVENTS` is by default. */
export const BATCH = 2_000;

export const history = historyProjection(projectRootUrl());

/** The database of a system that has not begun yet. */
export async function openBenchDatabase(url: string): Promise<pg.Pool> {
  await migrate({ url, directory: fileURLToPath(new URL('prisma/migrations', projectRootUrl())) });
  const pool = new pg.Pool({ connectionString: url, max: 8 });
  // Its idle connections may still be open when the server ends.
  pool.on('error', () => {});
  return pool;
}

/** Projects the history up to the log's end of now. @returns events per second, from the start to the last commit */
export async function projectHistory(log: JetStreamLog, pool: pg.Pool): Promise<number> {
  const { lastSeq } = await log.status();
  let finish = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  let events = 0;
  const runner = new ProjectionRunner({
    projection: history,
    store: new PostgresStore({ projection: history, pool, worker: 'bench' }),
    log,
    feed: log,
    timers: systemTimers,
    batchMax: BATCH,
    onCommit: (commit) => {
      events += commit.events;
      if ((runner.checkpoint ?? 0) >= lastSeq) finish();
    },
    onEvent: (event) => event.type === 'projectionFailed' && console.error(event.error),
  });
  const startedAt = performance.now();
  runner.start();
  await finished;
  const seconds = (performance.now() - startedAt) / 1_000;
  await runner.stop();
  return events / seconds;
}
