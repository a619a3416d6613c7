import { afterEach, beforeEach, expect, test } from 'vitest';
import { seeLog } from '../../../projections/runner/control/logLineage.ts';
import { rebuild } from '../../../projections/runner/rebuild.ts';
import { Upkeep, type UpkeepEvent } from '../../../projections/runner/upkeep.ts';
import { dropLeftOver, ensureBuildingVersion, listVersions } from '../../../projections/runner/versions.ts';
import { systemTimers } from '../../../src/platform/time/timers.ts';
import { openProjectedLog } from '../../support/projections/projectedLog.ts';
import { historyOf } from '../../support/projections/randomHistory.ts';
import { waitFor } from '../../support/time/waitFor.ts';

let system: Awaited<ReturnType<typeof openProjectedLog>>;
const { events } = historyOf(Array.from({ length: 40 }, (_, n) => ['post', n % 4, n % 3, n % 8, 1]));

beforeEach(async () => {
  system = await openProjectedLog();
});
afterEach(() => system.close());

function startUpkeep(retiredForMs?: number) {
  const reported: UpkeepEvent[] = [];
  const upkeep = new Upkeep({
    projection: system.history,
    pool: system.pool,
    timers: systemTimers,
    random: () => 0,
    everyMs: 20,
    ...(retiredForMs !== undefined && { retiredForMs }),
    rebuild: (signal) => rebuild({ ...system.rebuildOptions, signal }),
    onEvent: (event) => reported.push(event),
  });
  upkeep.start();
  return { upkeep, reported };
}

test('tables of an older format are rebuilt and taken over by the workers, and the old ones dropped', async () => {
  await system.append(...events);
  const before = system.start();
  await system.caughtUp();
  await before.stop();
  await system.pool.query('UPDATE projection_versions SET format = format - 1');
  const worker = system.start();
  await waitFor('the worker to stand by', () => worker.state === 'standby');
  const { upkeep, reported } = startUpkeep(0);
  await waitFor('the worker to go on', () => worker.state === 'live');
  await waitFor('the old version to be dropped', () => reported.some(({ type }) => type === 'dropped'));
  await upkeep.stop();
  expect(reported).toEqual([
    { type: 'outdated', projection: 'history', format: 3, wanted: 4 },
    { type: 'renewed', projection: 'history', version: 2 },
    { type: 'dropped', projection: 'history', versions: [1] },
  ]);
  expect(await listVersions(system.pool, 'history')).toMatchObject([
    { version: 2, status: 'live', format: 4 },
  ]);
  const schemas = await system.pool.query(
    `SELECT FROM information_schema.schemata WHERE schema_name = 'history_v1'`,
  );
  expect(schemas.rowCount).toBe(0);
});

test('a version that was just replaced stays for those who read it', async () => {
  await system.append(...events);
  system.start();
  await system.caughtUp();
  await rebuild(system.rebuildOptions);
  const { upkeep, reported } = startUpkeep();
  await waitFor(
    'the workers to go on',
    async () => (await listVersions(system.pool, 'history')).length === 2,
  );
  await upkeep.stop();
  expect(reported).toEqual([]);
});

test('stopping ends a rebuild in flight, and the next one goes on with it', async () => {
  await system.append(...events);
  const before = system.start();
  await system.caughtUp();
  await before.stop();
  await system.pool.query('UPDATE projection_versions SET format = format - 1');
  // As if its database stood still: the rebuild cannot come to its end.
  const client = await system.pool.connect();
  await client.query('BEGIN; LOCK TABLE projection_workers IN EXCLUSIVE MODE');
  const { upkeep, reported } = startUpkeep();
  await waitFor('the rebuild to begin', () => reported.some(({ type }) => type === 'outdated'));
  const stopped = upkeep.stop();
  await client.query('ROLLBACK');
  client.release();
  await stopped;
  expect(reported.map(({ type }) => type)).toEqual(['outdated']);
  const again = startUpkeep();
  await waitFor('the rebuild', () => again.reported.some(({ type }) => type === 'renewed'));
  await again.upkeep.stop();
  expect(again.reported.at(-1)).toMatchObject({ version: 2 });
});

test('a rebuild that was given up is thrown away after a day, not before', async () => {
  await system.append(...events);
  system.start();
  await system.caughtUp();
  await ensureBuildingVersion(system.pool, system.history, await seeLog(system.log));
  const ago = (hours: number) =>
    system.pool.query(`UPDATE projection_checkpoints SET updated_at = now() - interval '${hours} hours' WHERE version = 2;
      UPDATE projection_versions SET created_at = now() - interval '${hours} hours' WHERE version = 2`);
  await ago(23);
  expect(await dropLeftOver(system.pool, system.history, 3_600_000)).toEqual([]);
  await ago(25);
  expect(await dropLeftOver(system.pool, system.history, 3_600_000)).toEqual([2]);
});
