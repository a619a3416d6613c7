import { afterEach, beforeEach, expect, test } from 'vitest';
import { seeLog } from '../../../projections/runner/control/logLineage.ts';
import { rebuild } from '../../../projections/runner/rebuild.ts';
import { dropLeftOver, ensureBuildingVersion, listVersions } from '../../../projections/runner/versions.ts';
import type { ChatEvent } from '../../../src/domain/conversation/events.ts';
import { MemoryEventLog } from '../../../src/eventlog/memory/memoryEventLog.ts';
import { appendEvents } from '../../support/projections/appendEvents.ts';
import { type HistoryRunners, openHistoryRunners } from '../../support/projections/historyRunners.ts';
import {
  CONVERSATION_PAIR,
  numberedMessageId,
  type SmallStep,
  smallHistory,
} from '../../support/projections/smallHistory.ts';
import { waitFor } from '../../support/time/waitFor.ts';

let history: HistoryRunners;

beforeEach(async () => {
  history = await openHistoryRunners();
});
afterEach(() => history.close());

test('a rebuild is switched to while events keep coming; reads are never empty, half or down', async () => {
  const log = new MemoryEventLog();
  const events = smallHistory(
    Array.from({ length: 400 }, (_, n): SmallStep => [n % 5, n % 2, n % 4, n % 13]),
  );
  for (const event of events) await appendEvents(log, event);
  const { runner } = history.start(log);
  await waitFor('the runner to be live', () => runner.state === 'live');
  const complete = (await history.pool.query('SELECT count(*)::int AS n FROM messages')).rows[0].n;
  let building = true;
  const seen = new Set<number>();
  const reading = (async () => {
    while (building)
      seen.add((await history.pool.query('SELECT count(*)::int AS n FROM messages')).rows[0].n);
  })();
  let extra = 0;
  const writing = (async () => {
    while (building) {
      extra += 1;
      const posted = smallHistory([[0, 0, 0, 1]]).at(-1) as ChatEvent & { type: 'MessagePosted' };
      await appendEvents(log, { ...posted, messageId: numberedMessageId(1_000 + extra) });
      // The pace of a client that waits for something between two messages.
      await history.pool.query('SELECT 1');
    }
  })();
  const { version } = await rebuild(history.rebuildOptions(log, 50));
  building = false;
  await Promise.all([reading, writing]);
  expect(version).toMatchObject({ version: 2, status: 'live' });
  expect(Math.min(...seen)).toBeGreaterThanOrEqual(complete);
  await waitFor('the worker to go on with the new version', async () => {
    return runner.checkpoint === (await log.status()).lastSeq;
  });
  await history.expectNoDifferences(log);
  expect(await listVersions(history.pool, 'history')).toMatchObject([
    { version: 1, status: 'retired' },
    { version: 2, status: 'live' },
  ]);
});

test('a rebuild that would change something says what; an interrupted one goes on where it was', async () => {
  const log = new MemoryEventLog();
  for (const event of smallHistory([
    [0, 0, 0, 1],
    [0, 1, 0, 2],
  ]))
    await appendEvents(log, event);
  const { runner } = history.start(log);
  await waitFor('all to be projected', () => runner.checkpoint === 4);
  await history.pool.query(`UPDATE history_v1.messages SET content = 'tampered' WHERE conversation_id = $1`, [
    CONVERSATION_PAIR[1],
  ]);
  await expect(rebuild({ ...history.rebuildOptions(log, 1), requireEqual: true })).rejects.toThrow(
    /differs .* in 1 places/,
  );
  expect(await listVersions(history.pool, 'history')).toMatchObject([
    { version: 1, status: 'live' },
    { version: 2, status: 'building' },
  ]);
  const dry = await rebuild({ ...history.rebuildOptions(log, 1), dryRun: true });
  expect(dry).toMatchObject({ switched: false, version: { version: 2 } });
  expect(dry.comparison).toEqual({ compared: 2, different: [CONVERSATION_PAIR[1]] });
  expect(await listVersions(history.pool, 'history')).toMatchObject([{ version: 1, status: 'live' }]);
  expect(await rebuild(history.rebuildOptions(log, 1))).toMatchObject({
    switched: true,
    version: { version: 2 },
  });
  await waitFor('the worker to go on', () => runner.checkpoint === 4);
  await history.expectNoDifferences(log);
  expect(await dropLeftOver(history.pool, history.projection, 60_000)).toEqual([]);
  expect(await dropLeftOver(history.pool, history.projection, 0)).toEqual([1]);
});

test('only one process rebuilds a read model at a time', async () => {
  const log = new MemoryEventLog();
  await appendEvents(log, ...smallHistory([[0, 0, 0, 1]]));
  const { runner } = history.start(log);
  await waitFor('all to be projected', () => runner.checkpoint === 3);
  await ensureBuildingVersion(history.pool, history.projection, await seeLog(log));
  await history.pool.query(
    `UPDATE projection_checkpoints SET owner = 'else', lease_until = now() + interval '1 minute' WHERE version = 2`,
  );
  await expect(rebuild(history.rebuildOptions(log, 1))).rejects.toThrow(
    /Another process is rebuilding history/,
  );
});
