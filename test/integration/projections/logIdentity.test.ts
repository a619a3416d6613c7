import { afterEach, beforeEach, expect, test } from 'vitest';
import { MemoryEventLog } from '../../../src/eventlog/memory/memoryEventLog.ts';
import { appendEvents } from '../../support/projections/appendEvents.ts';
import {
  firstFailure,
  type HistoryRunners,
  openHistoryRunners,
} from '../../support/projections/historyRunners.ts';
import { smallHistory } from '../../support/projections/smallHistory.ts';
import { waitFor } from '../../support/time/waitFor.ts';

let history: HistoryRunners;

beforeEach(async () => {
  history = await openHistoryRunners();
});
afterEach(() => history.close());

test('a log that lost its tail and went on is noticed by the bytes at the checkpoint', async () => {
  const [log, other] = [new MemoryEventLog({ epoch: 'one' }), new MemoryEventLog({ epoch: 'one' })];
  await appendEvents(log, ...smallHistory([[0, 0, 0, 1]]));
  for (const event of smallHistory([[0, 0, 0, 2]])) await appendEvents(other, event);
  const first = history.start(log);
  await waitFor('all to be projected', () => first.runner.checkpoint === 3);
  await first.runner.stop();
  const { runner, events } = history.start(other);
  await waitFor('the runner to halt', () => runner.state === 'halted');
  expect(firstFailure(events)).toMatch(
    /another event 3 than the log holds now: its tail was lost, and written again.*log repair/,
  );
});

test('tables of a newer format than the code are not touched', async () => {
  const log = new MemoryEventLog();
  await appendEvents(log, ...smallHistory([[0, 0, 0, 1]]));
  const first = history.start(log);
  await waitFor('all to be projected', () => first.runner.checkpoint === 3);
  await first.runner.stop();
  await history.pool.query('UPDATE projection_versions SET format = format + 1');
  const { runner, events } = history.start(log);
  await waitFor('the runner to halt', () => runner.state === 'halted');
  expect(firstFailure(events)).toMatch(/newer version of chat-backend/);
});

test('a read model of another log, or ahead of the log, halts with the reason', async () => {
  const log = new MemoryEventLog({ epoch: 'one' });
  await appendEvents(log, ...smallHistory([[0, 0, 0, 1]]));
  const first = history.start(log);
  await waitFor('the runner to be live', () => first.runner.state === 'live');
  await first.runner.stop();
  const stranger = new MemoryEventLog({ epoch: 'three' });
  await appendEvents(stranger, ...smallHistory([[1, 1, 1, 1]]));
  for (const [other, reason] of [
    [new MemoryEventLog({ epoch: 'two' }), /has events up to 3, but the log holds none: it was made again/],
    [new MemoryEventLog({ epoch: 'one' }), /has events up to 3, but the log ends at 0/],
    [stranger, /this is another log, of epoch three. Point NATS_URL at the server with the right log/],
  ] as const) {
    const { runner, events } = history.start(other);
    await waitFor('the runner to halt', () => runner.state === 'halted');
    expect(firstFailure(events)).toMatch(reason);
  }
});

test('a read model that has read nothing goes on with another log, as after a cut of the first start', async () => {
  const first = history.start(new MemoryEventLog({ epoch: 'one' }));
  await waitFor('the runner to be live', () => first.runner.state === 'live');
  await first.runner.stop();
  const log = new MemoryEventLog({ epoch: 'two' });
  await appendEvents(log, ...smallHistory([[0, 0, 0, 1]]));
  const { runner } = history.start(log);
  await waitFor('all to be projected', () => runner.state === 'live' && runner.checkpoint === 3);
});
