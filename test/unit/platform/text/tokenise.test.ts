import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WORD_LENGTH_MAX } from '../../../../src/platform/text/foldWord.ts';
import { searchVector } from '../../../../src/platform/text/searchVector.ts';
import { composed, TOKENS_MAX, tokenise } from '../../../../src/platform/text/tokenise.ts';
import { anyText } from '../../../support/domain/textArbitraries.ts';

/** Every token by what it is found under; the word that several are joined to after a plus. */
const words = (text: string) =>
  tokenise(text).map(({ words: all, joined }) => [...all, ...(joined ? [`+${joined.word}`] : [])].join(' '));

describe('the tokens of a text', () => {
  it.each([
    ['She said “hello” to me', ['she', 'said', 'hello', 'to', 'me']],
    ['wait… what', ['wait', 'what']],
    ['thanks👍', ['thanks', '👍']],
    ['50€', ['50']],
    ['report.pdf', ['report +reportpdf', 'pdf']],
    ['yes/no', ['yes', 'no']],
    ['ABC-1234', ['abc +abc1234', '1234']],
    ['v1.2.3', ['v1 v 1', '2', '3']],
    ['getUserName', ['getusername get user name']],
    ['XMLHttpRequest', ['xmlhttprequest xml http request']],
    ['snake_case', ['snake +snakecase', 'case']],
    ["don't", ['dont don t']],
    ['C++, C#', ['c c++', 'c c#']],
    ['#tag @user', ['tag #tag', 'user @user']],
    ['上海市', ['上海', '海市', '市']],
    ['iPhone手机', ['iphone i phone', '手机', '机']],
    ['👨‍👩‍👧 👍🏽 🇩🇪', ['👨', '👩', '👧', '👍', '🇩🇪']],
    ['thanks™ ㍿', ['thanks', 'tm', '株式', '式会', '会社', '社']],
    ['-- … “” \u200b \u0301', []],
  ])('%s', (text, expected) => {
    expect(words(text)).toEqual(expected);
  });

  it('has no parts of what is a key or a checksum', () => {
    expect(words('9f86d081884c7d659a2feaa0c55ad015')).toEqual(['9f86d081884c7d659a2feaa0c55ad015']);
  });
});

describe('of any text at all', () => {
  it('the tokens are in order, in the text, bounded, and the same however it is composed', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const tokens = tokenise(text);
        let end = 0;
        for (const token of tokens) {
          expect(token.end).toBeGreaterThan(token.start);
          expect(token.start >= end || token.end === end).toBe(true);
          end = token.end;
          expect(token.words.length).toBeLessThanOrEqual(20);
          for (const word of token.words) {
            expect([word.isWellFormed(), word.length > 0, word.length <= 2 * WORD_LENGTH_MAX]).toEqual([
              true,
              true,
              true,
            ]);
          }
        }
        expect(end).toBeLessThanOrEqual(composed(text).length);
        expect(tokenise(text.normalize('NFD'))).toEqual(tokens);
        expect(tokenise(text.normalize('NFC'))).toEqual(tokens);
      }),
      { numRuns: 500 },
    );
  });

  it('the fast way of ASCII and the way of all other text are one', () => {
    const signs = fc.constantFrom(...'abcXYZ019\'`"-_.+#@ /:,\0\n');
    const ascii = fc.oneof(fc.string({ unit: signs }), fc.string({ unit: 'binary-ascii' }));
    fc.assert(
      fc.property(ascii, (text) => {
        expect(tokenise(`${text} …`)).toEqual(tokenise(text));
      }),
      { numRuns: 1_000 },
    );
  });

  it('there are no more tokens than a tsvector has positions, and no word has more than it keeps', () => {
    const many = searchVector('a '.repeat(TOKENS_MAX + 10));
    expect(many.split(',')).toHaveLength(255);
    expect(tokenise('ab '.repeat(TOKENS_MAX + 10))).toHaveLength(TOKENS_MAX);
    // Each of them is four words to Unicode.
    expect(tokenise('\ufdfa '.repeat(4_000)).length).toBeLessThanOrEqual(TOKENS_MAX);
  });

  it('a word of thousands of marks or parts is nothing special', () => {
    const marks = ['\u0301', '\u0301\u0323\u05b0', '\u200b', 'ʼ', "'a", 'bB', '1a'];
    for (const mark of marks) {
      const text = `aB1${mark.repeat(8_000 / mark.length)}1`;
      const before = process.cpuUsage();
      for (let n = 0; n < 10; n++) tokenise(text);
      const { user } = process.cpuUsage(before);
      // With a look back over marks from each of them it was 19 s, otherwise it is far below 0.1.
      expect([mark, user < 5_000_000]).toEqual([mark, true]);
    }
  });
});
