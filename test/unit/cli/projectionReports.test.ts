import { expect, it } from 'vitest';
import { readLog } from '../../../src/cli/projectionReports.ts';
import type { StoredEvent } from '../../../src/ports/eventLog.ts';
import { lagOf } from '../../../src/queries/lag.ts';

const NOW = 10_000_000;
const HOUR_MS = 3_600_000;

/** A log that stored these events at these times; null: erased. */
function logOf(storedAtMs: readonly (number | null)[], { firstSeq = 1 } = {}) {
  const reads: number[] = [];
  const log = {
    status: async () => ({
      ...{ epoch: 'e', previousEpoch: null, logId: 'e', bytes: 0, bytesMax: 0, replicas: 1 },
      ...{ firstSeq, lastSeq: storedAtMs.length },
    }),
    at: async (seq: number): Promise<StoredEvent | null> => {
      reads.push(seq);
      const atMs = seq < firstSeq ? null : (storedAtMs[seq - 1] ?? null);
      if (atMs === null) return null;
      return { seq, conversationId: 'c', category: 'message', bytes: new Uint8Array(), storedAtMs: atMs };
    },
  };
  return { log, reads };
}

it('the lag is the age of the first event after the checkpoint, not of the checkpoint', async () => {
  const { log } = logOf([NOW - HOUR_MS, NOW - 2_000, NOW - 1_000]);
  const { epoch, head } = await readLog(log, [1]);
  expect(epoch).toBe('e');
  expect(lagOf({ seq: 1, storedAtMs: NOW - HOUR_MS }, head, NOW)).toEqual({ events: 2, seconds: 2 });
});

it('what has waited for an hour is an hour of lag', async () => {
  const { log } = logOf([NOW - 2 * HOUR_MS, NOW - HOUR_MS, NOW - 1_000]);
  const { head } = await readLog(log, [1]);
  expect(lagOf({ seq: 1, storedAtMs: NOW - 2 * HOUR_MS }, head, NOW)).toEqual({ events: 2, seconds: 3_600 });
});

it('an event that was erased is not missing: the next one that is there counts', async () => {
  const { log } = logOf([NOW - HOUR_MS, null, null, NOW - 3_000]);
  const { head } = await readLog(log, [1]);
  expect(lagOf({ seq: 1, storedAtMs: NOW - HOUR_MS }, head, NOW)).toEqual({ events: 3, seconds: 3 });
});

it('begins at the first event that the log still has', async () => {
  const { log, reads } = logOf([NOW, NOW, NOW, NOW - 5_000], { firstSeq: 4 });
  const { head } = await readLog(log, [0]);
  expect(head.notBeyondAtMs(0)).toBe(NOW - 5_000);
  expect(reads).toEqual([4]);
});

it('reads nothing at the end of the log, and each checkpoint once', async () => {
  const { log, reads } = logOf([NOW - 3, NOW - 2, NOW - 1]);
  const { head } = await readLog(log, [3, 2, 2, 3]);
  expect(reads).toEqual([3]);
  expect([head.lastSeq(), head.notBeyondAtMs(2), head.notBeyondAtMs(3)]).toEqual([3, NOW - 1, null]);
});

it('gives up after a bounded number of erased events', async () => {
  const { log, reads } = logOf([NOW, ...Array.from({ length: 1_000 }, () => null), NOW]);
  const { head } = await readLog(log, [1]);
  expect(head.notBeyondAtMs(1)).toBeNull();
  expect(reads.length).toBeLessThanOrEqual(101);
});
