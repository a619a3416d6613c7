import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fitSizes } from '../../../../src/eventlog/jetstream/streamSizes.ts';

const MB = 1_024 ** 2;
const GB = 1_024 * MB;
const DEFAULTS = { streamBytesMax: 4 * GB, receiptsBytesMax: 256 * MB, uploadsBytesMax: GB };
const total = (sizes: typeof DEFAULTS) =>
  sizes.streamBytesMax + sizes.receiptsBytesMax + sizes.uploadsBytesMax;

test('sizes that fit stay as they are', () => {
  expect(fitSizes(DEFAULTS, DEFAULTS, 20 * GB)).toEqual(DEFAULTS);
});

test('on three quarters of 3 GB all three shrink in proportion, and fit', () => {
  const fitted = fitSizes(DEFAULTS, DEFAULTS, 0.75 * 3 * GB);
  expect(total(fitted)).toBeLessThanOrEqual(0.75 * 3 * GB * 0.9);
  expect(fitted.streamBytesMax / fitted.uploadsBytesMax).toBeCloseTo(4, 5);
});

test('a size that was set stays, and the others make room', () => {
  const set = { ...DEFAULTS, uploadsBytesMax: GB + 1 };
  const fitted = fitSizes(set, DEFAULTS, 3 * GB);
  expect(fitted.uploadsBytesMax).toBe(GB + 1);
  expect(fitted.streamBytesMax).toBeLessThan(DEFAULTS.streamBytesMax);
});

test('sizes that were set and leave no room are handed on, for the server to refuse', () => {
  const set = { ...DEFAULTS, uploadsBytesMax: 3 * GB };
  expect(fitSizes(set, DEFAULTS, 2 * GB)).toEqual(set);
});

test('whatever the disk, the outcome fits or is unchanged, and is the same every time', () => {
  fc.assert(
    fc.property(fc.integer({ min: MB, max: 100 * GB }), (limit) => {
      const fitted = fitSizes(DEFAULTS, DEFAULTS, limit);
      expect(fitSizes(DEFAULTS, DEFAULTS, limit)).toEqual(fitted);
      expect(total(fitted) <= limit || total(fitted) === total(DEFAULTS)).toBe(true);
    }),
  );
});
