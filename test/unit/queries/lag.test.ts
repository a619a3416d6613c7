import { describe, expect, it } from 'vitest';
import { lagOf } from '../../../src/queries/lag.ts';

const NOW = 1_000_000;
const head = (lastSeq: number, notBeyondAtMs: number | null = null, isFresh = true) => ({
  lastSeq: () => lastSeq,
  notBeyondAtMs: () => notBeyondAtMs,
  isFresh: () => isFresh,
});

describe('lag', () => {
  it('is nothing at the end of the log, or when the checkpoint is newer than the last poll', () => {
    expect(lagOf({ seq: 10, storedAtMs: 0 }, head(10), NOW)).toEqual({ events: 0, seconds: 0 });
    expect(lagOf({ seq: 12, storedAtMs: 0 }, head(10), NOW)).toEqual({ events: 0, seconds: 0 });
  });

  it('counts the events behind, and the seconds since the checkpoint was stored', () => {
    expect(lagOf({ seq: 7, storedAtMs: NOW - 2_500 }, head(10), NOW)).toEqual({ events: 3, seconds: 2.5 });
  });

  it('is no hour for the first message after a quiet hour', () => {
    const checkpoint = { seq: 9, storedAtMs: NOW - 3_600_000 };
    expect(lagOf(checkpoint, head(10, NOW - 900), NOW)).toEqual({ events: 1, seconds: 0.9 });
  });

  it('is not known while the log is silent: at most so old, however little is known to be missing', () => {
    const silent = (lastSeq: number) =>
      lagOf({ seq: 10, storedAtMs: NOW - 9_000 }, head(lastSeq, NOW - 8_000, false), NOW);
    expect([silent(10), silent(12), silent(4)]).toEqual(Array(3).fill({ events: null, seconds: 8 }));
  });

  it('is never negative, whatever the clocks say', () => {
    expect(lagOf({ seq: 9, storedAtMs: NOW + 5_000 }, head(10), NOW)).toEqual({ events: 1, seconds: 0 });
  });
});
