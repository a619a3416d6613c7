import { expect, test } from 'vitest';
import { fingerprint } from '../../../../src/platform/log/fingerprint.ts';
import {
  compareLog,
  type KnownLog,
  type LogContinuity,
  renewalFor,
} from '../../../../src/platform/log/logContinuity.ts';
import type { LogStatus, StoredEvent } from '../../../../src/ports/eventLog.ts';

/** Runs what is to happen later at once. */
const timers = {
  after: (_ms: number, run: () => void) => {
    queueMicrotask(run);
    return () => {};
  },
};
const bytesOf = (text: string) => Buffer.from(text);
const KNOWN: KnownLog = {
  epoch: 'E2',
  logId: 'L',
  olderEpochs: ['L', 'E1'],
  firstEvents: [{ seq: 1, fingerprint: fingerprint(bytesOf('first')) }],
};

/** A log with these events from 1 on. */
function logOf(events: readonly string[], status: Partial<LogStatus>) {
  const whole: LogStatus = {
    ...{ epoch: 'E2', previousEpoch: 'E1', logId: 'L', firstSeq: 1, lastSeq: events.length },
    ...{ bytes: 0, bytesMax: 1, replicas: 1 },
    ...status,
  };
  return {
    status: async () => whole,
    at: async (seq: number): Promise<StoredEvent | null> => {
      const text = events[seq - 1];
      if (text === undefined) return null;
      return { seq, conversationId: 'c', category: 'message', bytes: bytesOf(text), storedAtMs: 0 };
    },
  };
}

const THREE = ['first', 'second', 'third'];

test.each<[LogContinuity, string, readonly string[], Partial<LogStatus>]>([
  ['same', 'it holds what was seen', THREE, {}],
  ['shorter', 'its tail is missing', ['first'], {}],
  ['rewritten', 'its tail was written again', ['first', 'second', 'other'], {}],
  ['regressed', 'it was given a new epoch', ['first'], { epoch: 'E3', previousEpoch: 'E2' }],
  ['regressed', 'it was given several', ['first'], { epoch: 'E4', previousEpoch: 'E3' }],
  ['fellBack', 'its description is the first again', ['first'], { epoch: 'L', previousEpoch: null }],
  ['fellBack', 'its description is the one before', ['first'], { epoch: 'E1', previousEpoch: 'L' }],
  ['fellBack', 'its description is gone', ['first'], { epoch: 'N', previousEpoch: null, logId: 'N' }],
  ['emptied', 'it was made anew', [], { epoch: 'N', previousEpoch: null, logId: 'N' }],
  ['other', 'it began with something else', ['stranger'], { epoch: 'N', previousEpoch: null, logId: 'N' }],
])('a log is %s when %s', async (continuity, _why, events, status) => {
  const matches = (bytes: Uint8Array) => Buffer.from(bytes).toString() === 'third';
  const compared = await compareLog(logOf(events, status), { log: KNOWN, seq: 3, matches }, timers);
  expect(compared.continuity).toBe(continuity);
  const renewal = renewalFor(KNOWN, compared);
  const wanted = ['shorter', 'rewritten', 'fellBack', 'emptied'].includes(continuity);
  // The new epoch comes after the one that was known, and the log keeps its identity.
  expect(renewal).toEqual(wanted ? { from: status.epoch ?? 'E2', lost: 'E2', logId: 'L' } : null);
});

test('of what was never seen nothing can be missing', async () => {
  const empty = logOf([], { epoch: 'N', previousEpoch: null, logId: 'N' });
  const fresh = { ...KNOWN, firstEvents: [] };
  expect((await compareLog(empty, { log: fresh, seq: 0, matches: null }, timers)).continuity).toBe('other');
});
