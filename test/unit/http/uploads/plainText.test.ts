import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodingOf, NotTextError, PlainText } from '../../../../src/http/uploads/plainText.ts';

const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le');

function check(bytes: Buffer, cuts: readonly number[] = []): void {
  const text = new PlainText(encodingOf(bytes));
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  for (const [n, place] of places.entries()) text.add(bytes.subarray(place, places[n + 1]));
  text.end();
}

describe('text', () => {
  const encodings: [string, (text: string) => Buffer][] = [
    ['UTF-8', (text) => Buffer.from(text)],
    ['UTF-16, least significant byte first', utf16],
    ['UTF-16, most significant byte first', (text) => utf16(text).swap16()],
  ];
  it.each(encodings)('in %s is text, wherever it is cut', (_name, encode) => {
    const unit = fc.oneof(fc.constantFrom('a', 'ä', '語', '😀', '\n', '\f'), fc.constant('👩‍👧'));
    const cuts = fc.array(fc.nat(200), { maxLength: 8 });
    fc.assert(
      fc.property(fc.string({ unit }), cuts, (text, places) => {
        expect(() => check(encode(text), places)).not.toThrow();
      }),
    );
  });

  it.each([
    ['half a character at the end of UTF-8', Buffer.from('hellö').subarray(0, -1)],
    ['half a unit at the end of UTF-16', utf16('hello').subarray(0, -1)],
    ['half a pair at the end of UTF-16', utf16('hello\ud83d')],
    ['half a pair within UTF-16', utf16('hel\ude00lo')],
    ['UTF-32, whose mark begins as that of UTF-16', Buffer.from('fffe000068000000', 'hex')],
    ['a NUL', Buffer.from('hello\0')],
    ['an escape', Buffer.from('\x1b[31m')],
    ['a control character of the second range', Buffer.from('\u009b31m')],
  ])('is not what has %s', (_what, bytes) => {
    for (const cuts of [[], [1, 3, 5]]) expect(() => check(bytes, cuts)).toThrow(NotTextError);
  });
});
