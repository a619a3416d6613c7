import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSeqRuns, writeSeqRuns } from '../../../../src/contracts/uploads/seqRuns.ts';

const seq = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
/** As chunks lie in a log: mostly one after the other, with others between them now and then. */
const ascending = fc
  .tuple(
    fc.integer({ min: 1, max: 1e12 }),
    fc.array(fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 5 }))),
  )
  .map(([first, steps]) => {
    const seqs = [first];
    for (const step of steps) seqs.push((seqs.at(-1) ?? 0) + step);
    return seqs;
  });

describe('sequences as runs', () => {
  it('are read back as what was written, in whatever order they are', () => {
    fc.assert(
      fc.property(fc.oneof(ascending, fc.array(seq), fc.array(fc.integer({ min: 1, max: 9 }))), (seqs) => {
        expect(readSeqRuns(writeSeqRuns(seqs), seqs.length)).toEqual(seqs);
      }),
      { numRuns: 500 },
    );
  });

  it('are as many runs as there are gaps, and one more', () => {
    fc.assert(
      fc.property(ascending, (seqs) => {
        const gaps = seqs.filter((each, n) => n > 0 && each !== (seqs[n - 1] ?? 0) + 1).length;
        expect(writeSeqRuns(seqs).split(',')).toHaveLength(gaps + 1);
      }),
    );
  });

  it.each([
    [[], ''],
    [[7], '7'],
    [[5, 6], '5-6'],
    [[5, 6, 7, 8, 9, 10, 11, 12, 14], '5-12,14'],
    [[1, 3, 5], '1,3,5'],
    [[3, 2, 1], '3,2,1'],
    [[2, 2], '2,2'],
  ])('%j are %j', (seqs, text) => {
    expect(writeSeqRuns(seqs)).toBe(text);
    expect(readSeqRuns(text, seqs.length)).toEqual(seqs);
  });

  it('are refused when they are not as many as they should be', () => {
    fc.assert(
      fc.property(ascending, fc.nat(200), (seqs, wanted) => {
        fc.pre(wanted !== seqs.length);
        expect(readSeqRuns(writeSeqRuns(seqs), wanted)).toBeNull();
      }),
    );
  });

  it('never become a longer list than is wanted: a run of billions is refused before it is made', () => {
    expect(readSeqRuns('1-9999999999999999', 3)).toBeNull();
    expect(readSeqRuns('1-2,1-9999999999999999', 3)).toBeNull();
    expect(readSeqRuns('1-9007199254740991', 0)).toBeNull();
  });

  it('never become a longer list than is wanted in many runs either, each of which would fit alone', () => {
    const runs = Array.from({ length: 2_000 }, () => '1-1000000').join(',');
    expect(readSeqRuns(runs, 1_000_000)).toBeNull();
  });

  it('of any text are none, or as many as wanted, each a sequence', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[\d,-]{0,20}$/));
    fc.assert(
      fc.property(text, fc.nat(20), (text, wanted) => {
        const seqs = readSeqRuns(text, wanted);
        if (seqs === null) return;
        expect(seqs).toHaveLength(wanted);
        expect(seqs.every((each) => each >= 1)).toBe(true);
        expect(readSeqRuns(writeSeqRuns(seqs), wanted)).toEqual(seqs);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    ['0', 1],
    ['01', 1],
    ['0-1', 2],
    ['2-1', 0],
    ['1-', 1],
    ['-1', 1],
    ['1--2', 2],
    ['1-2-3', 3],
    ['1,', 1],
    [',1', 1],
    ['1,,2', 2],
    [',', 0],
    [' 1', 1],
    ['1 ', 1],
    ['1, 2', 2],
    ['1\n', 1],
    ['1.5', 1],
    ['1e3', 1],
    ['+1', 1],
    ['x', 1],
    ['12345678901234567', 1],
  ])('are not %j', (text, wanted) => {
    expect(readSeqRuns(text, wanted)).toBeNull();
  });
});

it.each(['9007199254740992', '9007199254740991-9007199254740993', '1-9007199254740991'])(
  '%s is no run of a few sequences, and ends at once',
  (run) => {
    expect(readSeqRuns(run, 1)).toBeNull();
    expect(readSeqRuns(run, 2)).toBeNull();
  },
);
