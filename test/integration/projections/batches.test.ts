import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ChatEvent, MessagePosted } from '../../../src/domain/conversation/events.ts';
import { MemoryEventLog } from '../../../src/eventlog/memory/memoryEventLog.ts';
import { systemIds } from '../../../src/platform/ids.ts';
import { appendEvents } from '../../support/projections/appendEvents.ts';
import { type HistoryRunners, openHistoryRunners } from '../../support/projections/historyRunners.ts';
import {
  numberedMessageId,
  type SmallStep,
  smallHistory,
  smallStep,
} from '../../support/projections/smallHistory.ts';
import { waitFor } from '../../support/time/waitFor.ts';

let history: HistoryRunners;

beforeEach(async () => {
  history = await openHistoryRunners();
});
afterEach(() => history.close());

test('however the log is cut into batches, the read model is what the log says', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(smallStep, { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 20 }),
      async (steps, batchMax) => {
        const log = new MemoryEventLog({ epoch: systemIds.idempotencyKey().slice(0, 8) });
        await appendEvents(log, ...smallHistory(steps));
        await history.pool.query('DROP SCHEMA IF EXISTS history_v1 CASCADE');
        await history.pool.query('TRUNCATE projection_versions CASCADE');
        const { runner } = history.start(log, batchMax);
        await waitFor('the runner to be live', () => runner.state === 'live', { everyMs: 2 });
        await history.expectNoDifferences(log);
        await runner.stop();
      },
    ),
    { numRuns: 40 },
  );
});

test('a message that comes again after the log forgot it is in the history once', async () => {
  const log = new MemoryEventLog();
  const [created, , posted] = smallHistory([[0, 0, 0, 1]]);
  for (const event of [created, posted, posted]) if (event !== undefined) await appendEvents(log, event);
  const { runner } = history.start(log, 1);
  await waitFor('all to be projected', () => runner.checkpoint === 3);
  if (posted !== undefined) await appendEvents(log, posted);
  await appendEvents(log, {
    ...(posted as ChatEvent & { type: 'MessagePosted' }),
    messageId: numberedMessageId(77),
  });
  await waitFor('the rest', () => runner.checkpoint === 5);
  expect(await history.expectNoDifferences(log)).toBe(2);
  const ordinals = await history.pool.query('SELECT ordinal::int FROM messages ORDER BY seq');
  expect(ordinals.rows).toEqual([{ ordinal: 1 }, { ordinal: 2 }]);
});

test('a message that comes again with another text stays as it was', async () => {
  const log = new MemoryEventLog();
  const [created, , posted] = smallHistory([[0, 0, 0, 1]]) as [ChatEvent, ChatEvent, MessagePosted];
  for (const event of [created, posted, { ...posted, content: 'other' }]) await appendEvents(log, event);
  const { runner } = history.start(log);
  await waitFor('all to be projected', () => runner.checkpoint === 3);
  await appendEvents(log, { ...posted, content: 'another' });
  await waitFor('all to be projected', () => runner.checkpoint === 4);
  expect((await history.pool.query('SELECT content FROM messages')).rows).toEqual([
    { content: posted.content },
  ]);
  await history.expectNoDifferences(log);
});

test('connections that are cut are opened again, and every event is projected once', async () => {
  const log = new MemoryEventLog();
  const events = smallHistory(
    Array.from({ length: 300 }, (_, n): SmallStep => [n % 5, n % 2, n % 4, n % 13]),
  );
  const { runner } = history.start(log, 3);
  for (const [n, event] of events.entries()) {
    await appendEvents(log, event);
    if (n % 60 !== 30) continue;
    await history.pool.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
  }
  await waitFor('the runner to be through', () => runner.checkpoint === events.length);
  await history.expectNoDifferences(log);
});
