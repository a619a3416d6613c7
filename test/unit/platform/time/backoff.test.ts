import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs } from '../../../../src/platform/time/backoff.ts';
import { jittered } from '../../../../src/platform/time/jitter.ts';

const bounds = { delayMsMin: 100, delayMsMax: 1_000 };
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('a backoff', () => {
  it('doubles with each failure, up to its bound', () => {
    const whole = Array.from({ length: 6 }, (_, failures) => backoffMs(bounds, failures, () => 0));
    expect(whole).toEqual([100, 200, 400, 800, 1_000, 1_000]);
    expect(backoffMs(bounds, 5_000, () => 0)).toBe(1_000);
  });

  it('takes off up to a half at random, and never more', () => {
    expect(backoffMs(bounds, 1, () => 0.5)).toBe(150);
    fc.assert(
      fc.property(fc.nat(2_000), chance, (failures, random) => {
        const whole = backoffMs(bounds, failures, () => 0);
        const pauseMs = backoffMs(bounds, failures, () => random);
        expect(pauseMs).toBeGreaterThan(whole / 2 - 1e-9);
        expect(pauseMs).toBeLessThanOrEqual(whole);
      }),
    );
  });
});

describe('jitter', () => {
  it('adds or takes away its share at most, evenly', () => {
    expect([0, 0.5, 0.75].map((random) => jittered(1_000, 0.2, () => random))).toEqual([800, 1_000, 1_100]);
    expect(jittered(1_000, 0, () => 0.9)).toBe(1_000);
    fc.assert(
      fc.property(chance, (random) => {
        const ms = jittered(1_000, 0.25, () => random);
        expect(ms).toBeGreaterThanOrEqual(750);
        expect(ms).toBeLessThan(1_250 + 1e-9);
      }),
    );
  });
});
