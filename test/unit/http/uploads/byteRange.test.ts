import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { namesEntity, parseRange } from '../../../../src/http/uploads/byteRange.ts';

const length = fc.nat(20);
const place = fc.nat(30);

/** The bytes of an answer by their places; null is all of them. */
function bytesIn(range: ReturnType<typeof parseRange>, of: number): number[] | 'unsatisfiable' {
  if (range === 'unsatisfiable') return range;
  const { first, last } = range ?? { first: 0, last: of - 1 };
  return Array.from({ length: last - first + 1 }, (_, n) => first + n);
}

/** What the RFC says in words: those of the bytes there are that were asked for, or that there are none. */
function wanted(of: number, isWanted: (at: number) => boolean): number[] | 'unsatisfiable' {
  const found = Array.from({ length: of }, (_, at) => at).filter(isWanted);
  return found.length === 0 ? 'unsatisfiable' : found;
}

describe('a range', () => {
  it('from one byte to another gives those of them that there are', () => {
    fc.assert(
      fc.property(length, place, place, (of, one, other) => {
        const [first, last] = [Math.min(one, other), Math.max(one, other)];
        const range = parseRange(`bytes=${first}-${last}`, of);
        expect(bytesIn(range, of)).toEqual(wanted(of, (at) => at >= first && at <= last));
      }),
    );
  });

  it('from one byte on gives the rest', () => {
    fc.assert(
      fc.property(length, place, (of, first) => {
        expect(bytesIn(parseRange(`bytes=${first}-`, of), of)).toEqual(wanted(of, (at) => at >= first));
      }),
    );
  });

  it('of the last bytes gives as many of them as there are', () => {
    fc.assert(
      fc.property(length, place, (of, count) => {
        expect(bytesIn(parseRange(`bytes=-${count}`, of), of)).toEqual(wanted(of, (at) => at >= of - count));
      }),
    );
  });

  it('that ends before it begins is ignored, also beyond the end', () => {
    fc.assert(
      fc.property(length, place, fc.integer({ min: 1, max: 30 }), (of, last, more) => {
        expect(parseRange(`bytes=${last + more}-${last}`, of)).toBeNull();
      }),
    );
  });

  it('is the same in capitals and with blanks around its numbers', () => {
    const blanks = fc.stringMatching(/^[ \t]{0,3}$/);
    fc.assert(
      fc.property(
        length,
        place,
        place,
        fc.tuple(blanks, blanks, blanks, blanks),
        (of, first, last, [a, b, c, d]) => {
          const plain = parseRange(`bytes=${first}-${last}`, of);
          expect(parseRange(`BYTES=${a}${first}${b}-${c}${last}${d}`, of)).toEqual(plain);
        },
      ),
    );
  });

  it('whatever the header says, lies within what there is', () => {
    const header = fc.oneof(fc.string(), fc.stringMatching(/^bytes=[\d, \t-]{0,40}$/));
    fc.assert(
      fc.property(header, fc.nat(1e12), (text, of) => {
        const range = parseRange(text, of);
        if (range === null || range === 'unsatisfiable') return;
        expect(range.first).toBeGreaterThanOrEqual(0);
        expect(range.last).toBeGreaterThanOrEqual(range.first);
        expect(range.last).toBeLessThan(of);
      }),
      { numRuns: 1_000 },
    );
  });

  it('may name a byte far beyond the end', () => {
    expect(parseRange('bytes=5-999999999999999', 10)).toEqual({ first: 5, last: 9 });
    expect(parseRange('bytes=-999999999999999', 10)).toEqual({ first: 0, last: 9 });
    expect(parseRange('bytes=999999999999999-', 10)).toBe('unsatisfiable');
  });

  it.each([
    [undefined],
    [''],
    ['bytes'],
    ['bytes='],
    ['bytes=-'],
    ['bytes=0'],
    ['bytes=0-1,3-4'],
    ['bytes=0-1,'],
    ['bytes=a-b'],
    ['bytes=0x1-2'],
    ['bytes=1.5-2'],
    ['bytes=+1-2'],
    ['bytes=--1'],
    ['bytes=1--2'],
    ['bytes=0-1234567890123456'],
    ['bytes=0 0-1'],
    ['bytes=0-1\n'],
    ['bytes =0-1'],
    ['items=0-1'],
    [' bytes=0-1'],
    ['bytes=٠-٩'],
  ])('of %j is none: everything is sent', (header) => {
    expect(parseRange(header, 10)).toBeNull();
  });
});

describe('an If-None-Match', () => {
  const tag = fc.stringMatching(/^"[a-z0-9]{1,4}"$/);
  const listed = fc.record({ tag, isWeak: fc.boolean(), blanks: fc.stringMatching(/^[ \t]{0,2}$/) });

  it('names the entity exactly when it is one of its list, weak or strong', () => {
    fc.assert(
      fc.property(fc.array(listed, { minLength: 1, maxLength: 6 }), tag, fc.nat(), (list, other, pick) => {
        const header = list
          .map(({ tag, isWeak, blanks }) => `${blanks}${isWeak ? 'W/' : ''}${tag}${blanks}`)
          .join(',');
        expect(namesEntity(header, list[pick % list.length]?.tag ?? '')).toBe(true);
        expect(namesEntity(header, other)).toBe(list.some(({ tag }) => tag === other));
      }),
    );
  });

  it.each([
    ['*', true],
    [' * ', true],
    [undefined, false],
    ['', false],
    ['a', false],
    ['"ab"', false],
    ['w/"a"', false],
    ['"*"', false],
    ['"b", *', false],
  ])('%j names "a": %s', (header, names) => {
    expect(namesEntity(header, '"a"')).toBe(names);
  });
});
