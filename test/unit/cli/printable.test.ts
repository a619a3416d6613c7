import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printable, printableJson, printableLines } from '../../../src/cli/printable.ts';

const unit = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  fc.constantFrom(...'a\n\r\t\x1b\x7f\x85\x9b\u200b\u200d\u202e\u2066\u2028\u2029\u3164\ufeff\u00ad\ud800'),
);
const text = fc.string({ unit });
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

describe('what is printed', () => {
  it('has no character that moves a terminal, hides or turns text', () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(printable(value)).not.toMatch(UNPRINTABLE);
        expect(printableLines(value).replaceAll('\n', '')).not.toMatch(UNPRINTABLE);
        expect(printableLines(value).split('\n')).toHaveLength(value.split('\n').length);
      }),
    );
  });

  it('is JSON of the same meaning', () => {
    fc.assert(
      fc.property(fc.jsonValue(), text, (value, words) => {
        const whole = { value, [words]: words };
        const line = printableJson(whole);
        expect(line).not.toMatch(UNPRINTABLE);
        expect(JSON.parse(line)).toEqual(JSON.parse(JSON.stringify(whole)));
        expect(JSON.parse(printableJson(whole, 2))).toEqual(JSON.parse(line));
      }),
    );
  });

  it.each(['hello', 'Grüße, 世界', 'שלום', '😀 ❤️ 👍🏽', 'a "quoted" \\ path'])(
    'leaves %s as it is',
    (words) => {
      expect(printable(words)).toBe(words);
    },
  );

  it.each([
    ['\u001b[31m', '\\u001b[31m'],
    ['a\nb\tc', 'a\\nb\\tc'],
    ['\u3164', '\\u3164'],
    ['\u{e0061}', '\\udb40\\udc61'],
  ])('escapes %j', (words, escaped) => {
    expect(printable(words)).toBe(escaped);
  });
});
