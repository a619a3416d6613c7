import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { doubledKey } from '../../../src/contracts/doubledKeys.ts';

const check = (text: string) => doubledKey(text, JSON.parse(text));
/** Keys and texts that look like what is between them. */
const awkward = fc.oneof(
  fc.string({ unit: fc.constantFrom('"', '\\', ':', '{', '}', '[', ']', ',', ' ', 'a', '😀', '\n') }),
  fc.constantFrom('__proto__', 'constructor', '', '1'),
);
const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.stringify(value));
const anyJson = fc.oneof(
  json,
  fc
    .dictionary(awkward, fc.oneof(awkward, fc.array(fc.dictionary(awkward, awkward))), {
      noNullPrototype: true,
    })
    .map((value) => JSON.stringify(value)),
);

describe('keys that are given twice', () => {
  it('are in no text that was made of a value, however it is indented', () => {
    fc.assert(
      fc.property(anyJson, fc.constantFrom(0, 1, 2, '\t', '\r\n '), (text, indent) => {
        expect(check(JSON.stringify(JSON.parse(text), null, indent))).toBeNull();
      }),
      { numRuns: 500 },
    );
  });

  it('are found and named wherever they stand', () => {
    fc.assert(
      fc.property(awkward, anyJson, anyJson, anyJson, (key, first, second, around) => {
        const name = JSON.stringify(key);
        const doubled = `{"a\\u0000":${around}, ${name} :${first},${name}: ${second}}`;
        for (const text of [
          doubled,
          `[${around},${doubled}]`,
          `{"in":{"x":[${doubled}]},"b\\u0000":${around}}`,
        ]) {
          expect(check(text)).toBe(key);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('are the same key also when they are written in other ways', () => {
    expect(check('{"a":1,"\\u0061":2}')).toBe('a');
    expect(check('{"a":{"a":1},"b":[{"a":1},{"a":1}]}')).toBeNull();
  });

  it('are looked for in any depth and any length', () => {
    const deep = `${'['.repeat(50_000)}{"a":1,"a":2}${']'.repeat(50_000)}`;
    expect(check(deep)).toBe('a');
    expect(check(`{"a":"${'\\\\'.repeat(500_000)}"}`)).toBeNull();
  });
});
