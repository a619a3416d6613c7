import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PolledLogHead } from '../../../../src/platform/log/logHead.ts';
import type { LogStatus } from '../../../../src/ports/eventLog.ts';

const rest = { epoch: 'e', previousEpoch: null, logId: 'e', firstSeq: 1, bytes: 0, bytesMax: 1, replicas: 1 };
let head: PolledLogHead;
let status: () => Promise<LogStatus>;
let asked: number;
let knownSeq: number;

beforeEach(async () => {
  vi.useFakeTimers({ now: 1_000_000 });
  asked = 0;
  knownSeq = 0;
  status = () => Promise.resolve({ ...rest, lastSeq: 10 });
  const log = {
    get knownSeq() {
      return knownSeq;
    },
    status: () => {
      asked += 1;
      return status();
    },
  };
  head = await PolledLogHead.start({ log, nowMs: Date.now });
});
afterEach(() => {
  head.stop();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe("the log's end", () => {
  it('is known as soon as it has started, and polled about every second', async () => {
    expect(head.lastSeq()).toBe(10);
    status = () => Promise.resolve({ ...rest, lastSeq: 12 });
    await vi.advanceTimersByTimeAsync(1_100);
    expect(head.lastSeq()).toBe(12);
  });

  it('stays known, with its age, while the log does not answer, and is polled again', async () => {
    status = () => new Promise(() => {});
    await vi.advanceTimersByTimeAsync(10_000);
    expect([head.lastSeq(), head.ageMs()]).toEqual([10, 10_000]);
    status = () => Promise.resolve({ ...rest, lastSeq: 11 });
    await vi.advanceTimersByTimeAsync(3_200);
    expect(head.lastSeq()).toBe(11);
  });

  it('is never before what this process appended or read, whatever a poll said', async () => {
    knownSeq = 14;
    expect(head.lastSeq()).toBe(14);
    status = () => Promise.resolve({ ...rest, lastSeq: 13 });
    await vi.advanceTimersByTimeAsync(1_100);
    expect(head.lastSeq()).toBe(14);
    expect(head.notBeyondAtMs(13)).not.toBeNull();
  });

  it('is fresh until the log fails to answer, or was not asked for longer than an interval and an answer take', async () => {
    expect(head.isFresh()).toBe(true);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(head.isFresh()).toBe(true);
    status = () => Promise.reject(new Error('away'));
    await vi.advanceTimersByTimeAsync(1_100);
    expect(head.isFresh()).toBe(false);
    status = () => Promise.resolve({ ...rest, lastSeq: 10 });
    await vi.advanceTimersByTimeAsync(1_100);
    expect(head.isFresh()).toBe(true);
    status = () => new Promise(() => {});
    await vi.advanceTimersByTimeAsync(3_200);
    expect(head.isFresh()).toBe(false);
    head.stop();
    // A poll may be on its way still, and who asks meanwhile gets its answer.
    await vi.advanceTimersByTimeAsync(2_000);
    status = () => Promise.resolve({ ...rest, lastSeq: 10 });
    await head.ask();
    expect(head.isFresh()).toBe(true);
    vi.setSystemTime(Date.now() + 3_200);
    expect(head.isFresh()).toBe(false);
  });

  it('remembers when it was last seen not to be beyond a sequence', async () => {
    await vi.advanceTimersByTimeAsync(5_000);
    status = () => Promise.resolve({ ...rest, lastSeq: 20 });
    const seenMs = 1_000_000 + 5_000 - (head.ageMs() ?? 0);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(head.notBeyondAtMs(15)).toBe(seenMs);
    expect(head.notBeyondAtMs(9)).toBeNull();
    expect(head.notBeyondAtMs(20)).toBeGreaterThan(seenMs);
  });

  it('is asked for once when many ask at the same time, in bounded time', async () => {
    const before = asked;
    status = () => new Promise(() => {});
    const answers = Promise.allSettled([head.ask(), head.ask(), head.ask()]);
    await vi.advanceTimersByTimeAsync(2_000);
    const reasons = (await answers).map((answer) => answer.status === 'rejected' && String(answer.reason));
    expect(reasons).toEqual(Array(3).fill('TimeoutError: Asking the log took longer than 2000 ms'));
    expect(asked - before).toBeLessThanOrEqual(2);
  });
});
