import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  boundedWord,
  foldWord,
  WORD_LENGTH_MAX,
  withoutAccents,
} from '../../../../src/platform/text/foldWord.ts';

describe('folding a word', () => {
  it.each([
    ['Hello', 'hello'],
    ['ＨＥＬＬＯ１', 'hello1'],
    ['cafe\u0301', 'café'],
    ['STRASSE', foldWord('Straße')],
    ['STRAẞE', foldWord('Straße')],
    ['ΛΌΓΟΣ', foldWord('λόγος')],
    ['ﬁnd', 'find'],
    ['ﾊﾝｶｸ', 'ハンカク'],
    ['ｶﾞ', 'ガ'],
    ['so\u00adft\u200b\u200d', 'soft'],
    ['1\ufe0f\u20e3', '1'],
    ['Kelvin', 'kelvin'],
    ['كـــتاب', 'كتاب'],
    ['ISTANBUL', foldWord('ıstanbul')],
    ['İZMİR', 'izmir'],
    ['ŉ', 'n'],
  ])('makes %s %s', (word, folded) => {
    expect(foldWord(word)).toBe(folded);
  });

  it('changes nothing the second time, of any character there is', () => {
    const changed: string[] = [];
    for (let code = 0; code <= 0x10ffff; code++) {
      const folded = foldWord(String.fromCodePoint(code));
      if (foldWord(folded) !== folded) changed.push(code.toString(16));
    }
    expect(changed).toEqual([]);
  });

  it('makes the same of a text, of its capitals and of its small letters', () => {
    const letters = fc.string({ unit: 'grapheme' });
    fc.assert(
      fc.property(letters, (text) => {
        expect(foldWord(text.normalize('NFD'))).toBe(foldWord(text.normalize('NFC')));
        expect(foldWord(foldWord(text))).toBe(foldWord(text));
      }),
    );
  });
});

it.each([
  ['café', 'cafe'],
  ['ёлка', 'елка'],
  ['λόγοσ', 'λογοσ'],
  ['שָׁלוֹם', 'שלום'],
  ['مَرْحَبًا', 'مرحبا'],
  ['हिन्दी', 'हिन्दी'],
  ['ガ', 'ガ'],
  ['한', '한'],
])('%s without accents is %s', (word, plain) => {
  expect(withoutAccents(word)).toBe(plain);
});

it('cuts a word that is too long, and no character', () => {
  expect(boundedWord('x'.repeat(WORD_LENGTH_MAX))).toHaveLength(WORD_LENGTH_MAX);
  expect(boundedWord('x'.repeat(WORD_LENGTH_MAX + 1))).toHaveLength(WORD_LENGTH_MAX);
  expect(boundedWord(`x${'𝒳'.repeat(WORD_LENGTH_MAX)}`)).toHaveLength(WORD_LENGTH_MAX - 1);
});
