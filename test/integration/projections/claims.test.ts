import { afterEach, beforeEach, test } from 'vitest';
import type { ChatEvent } from '../../../src/domain/conversation/events.ts';
import { MemoryEventLog } from '../../../src/eventlog/memory/memoryEventLog.ts';
import { appendEvents } from '../../support/projections/appendEvents.ts';
import { type HistoryRunners, openHistoryRunners } from '../../support/projections/historyRunners.ts';
import { smallHistory } from '../../support/projections/smallHistory.ts';
import { waitFor } from '../../support/time/waitFor.ts';

let history: HistoryRunners;

beforeEach(async () => {
  history = await openHistoryRunners();
});
afterEach(() => history.close());

test('a worker that lost its claim writes nothing any more, and goes on only under a new claim', async () => {
  const log = new MemoryEventLog();
  await appendEvents(log, ...smallHistory([[0, 0, 0, 1]]));
  const { runner, events } = history.start(log);
  await waitFor('the runner to be live', () => runner.state === 'live');
  // As another worker would, if it believed this one dead.
  await history.pool.query(
    `UPDATE projection_checkpoints SET owner = 'other', owner_epoch = owner_epoch + 1`,
  );
  const seq = await appendEvents(log, smallHistory([[0, 1, 0, 5]]).at(-1) as ChatEvent);
  await waitFor('the refusal', () =>
    events.some((event) => event.type === 'projectionFailed' && event.trigger === 'fenced'),
  );
  await history.pool.query(`UPDATE projection_checkpoints SET lease_until = now()`);
  await waitFor('a new claim', () => runner.checkpoint === seq);
  await history.expectNoDifferences(log);
});

test('two workers share the groups, and one takes over from the other', async () => {
  const log = new MemoryEventLog();
  await appendEvents(log, ...smallHistory([[0, 0, 0, 1]]));
  const one = history.start(log);
  await waitFor('the first to have all', () => one.runner.checkpoints.size === 4);
  const two = history.start(log);
  await waitFor(
    'an even share',
    () => one.runner.checkpoints.size === 2 && two.runner.checkpoints.size === 2,
    { timeoutMs: 300_000 },
  );
  await one.runner.stop();
  await waitFor('the takeover', () => two.runner.checkpoints.size === 4);
  const seq = await appendEvents(log, smallHistory([[0, 1, 0, 5]]).at(-1) as ChatEvent);
  await waitFor('all to be projected', () => two.runner.checkpoint === seq);
  await history.expectNoDifferences(log);
});

test('a paused projection rests until it is resumed', async () => {
  const log = new MemoryEventLog();
  await appendEvents(log, ...smallHistory([[0, 0, 0, 1]]));
  await history.pool.query(`INSERT INTO projection_controls VALUES ('history', true)`);
  const { runner } = history.start(log);
  await waitFor('the pause', () => runner.state === 'paused');
  await history.pool.query('UPDATE projection_controls SET paused = false');
  await waitFor('the end of the pause', () => runner.checkpoint === 3);
});
