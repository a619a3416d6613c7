import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { highlight } from '../../../src/queries/highlight.ts';
import { searchTerms } from '../../../src/queries/searchTerms.ts';
import { anyText } from '../../support/domain/textArbitraries.ts';

const tsquery = (text: string) => searchTerms(text)?.tsquery ?? null;

describe('a search', () => {
  it.each([
    ['green tea ', "(('green') & ('tea'))"],
    ['green te', "(('green') & ('te'))"],
    ['green tea', "(('green') & ('tea':*))"],
    ['green tea!', "(('green') & ('tea'))"],
    ['"green tea"', "(('green' <1> 'tea'))"],
    ['“green tea”', "(('green' <1> 'tea'))"],
    ['"green te', "(('green' <1> 'te'))"],
    ['"green tea', "(('green' <1> 'tea':*))"],
    ['green -tea', "(('green') & !('tea'))"],
    ['green -"black tea" x', "(('green') & ('x') & !('black' <1> 'tea'))"],
    ['red or green tea ', "(('red')) | (('green') & ('tea'))"],
    ['a OR b ', "(('a')) | (('b'))"],
    ['or', "(('or'))"],
    ['or a ', "(('a'))"],
    ['a or ', "(('a'))"],
    ['"or" a ', "(('or') & ('a'))"],
    ['report.pdf ', "(('report' <1> 'pdf' | 'reportpdf'))"],
    ['a/b ', "(('a' <1> 'b'))"],
    ['上海', "(('上海'))"],
    ['在上海', "(('在上' <1> '上海'))"],
    ['我', "(('我':*))"],
    ['上海x ', "(('上海' <2> 'x'))"],
    ['C++', "(('c++'))"],
    ['#tag ', "(('#tag'))"],
    ['--force ', "(('force'))"],
    ['a - b ', "(('a') & ('b'))"],
    ["it's '); DROP ", "(('its') & ('drop'))"],
    ['x:* & !y ', "(('x') & ('y'))"],
  ])('%s', (text, expected) => {
    expect(tsquery(text)).toBe(expected);
  });

  it.each(['-', '"', '""', '<>', '!!! ??? :*', '-'.repeat(200), '-tea', '-"green tea" -x', '\u0301', '…“”'])(
    'of nothing that there could be finds nothing: %s',
    (text) => {
      expect(searchTerms(text)).toBeNull();
    },
  );
});

const shown = (content: string, q: string) => highlight(content, searchTerms(q)?.phrases ?? []);

describe('what a hit shows', () => {
  it.each([
    ['Green tea or black tea?', 'tea', 'Green <mark>tea</mark> or black <mark>tea</mark>?'],
    ['She said “hello”', 'hello', 'She said “<mark>hello</mark>”'],
    ['<b>bold</b> & "more"', 'bold ', '&lt;b&gt;<mark>bold</mark>&lt;/b&gt; &amp; &quot;more&quot;'],
    ['tea green, green tea', '"green tea"', 'tea green, <mark>green</mark> <mark>tea</mark>'],
    ['我家在上海东边', '上海', '我家在<mark>上海</mark>东边'],
    ['我家在上海东边', '家', '我<mark>家</mark>在上海东边'],
    ['see report.pdf', 'report.pdf', 'see <mark>report</mark>.<mark>pdf</mark>'],
    ['our wi-fi is down', 'wifi', 'our <mark>wi</mark>-<mark>fi</mark> is down'],
    ['our wifi is down', 'wi-fi', 'our <mark>wifi</mark> is down'],
    ['Die STRASSE', 'straße', 'Die <mark>STRASSE</mark>'],
    ['cafe\u0301 au lait', 'CAFÉ ', '<mark>café</mark> au lait'],
    ['café', 'cafe', '<mark>café</mark>'],
    ['a getUserName call', 'user', 'a <mark>getUserName</mark> call'],
    ['thanks👍🏽!', '👍', 'thanks<mark>👍</mark>🏽!'],
    ['green tea', 'green -black', '<mark>green</mark> tea'],
    ['nothing of it', 'green', 'nothing of it'],
    ['', 'green', ''],
    ['…', 'green', '…'],
  ])('%s, for %s', (content, q, expected) => {
    expect(shown(content, q)).toBe(expected);
  });

  it('is of a long text what is around the words, in two fragments', () => {
    const filler = Array.from({ length: 100 }, (_, n) => `w${n}`).join(' ');
    expect(shown(`${filler} needle ${filler} needle ${filler} needle`, 'needle')).toBe(
      `${around(92, 100)} <mark>needle</mark> ${around(0, 15)} … ${around(92, 100)} <mark>needle</mark> ${around(0, 15)}`,
    );
    expect(shown(filler, 'nothing')).toBe(around(0, 24));
    expect(shown('x'.repeat(8_000), 'xxx').length).toBeLessThan(600);
  });

  it('of a text that is searched for in itself is its beginning, with marks', () => {
    const html = shown('a '.repeat(4_000), `"${'a '.repeat(99)}"`);
    expect(html.replaceAll(/<\/?mark>/g, '')).toBe('a '.repeat(48).trim());
    expect(html.startsWith('<mark>a</mark> <mark>a</mark>')).toBe(true);
    expect(shown('a '.repeat(4_000), `"${'a '.repeat(98)}b"`)).not.toContain('<mark>');
  });

  it('is well-formed text in which <mark> is the only markup, whatever the text and the search', () => {
    fc.assert(
      fc.property(anyText, anyText, fc.boolean(), (content, other, same) => {
        const html = shown(content, same ? content.slice(0, 100) : other);
        expect(html.isWellFormed()).toBe(true);
        expect(html.replaceAll(/<mark>[^<>]+<\/mark>/g, '')).not.toMatch(/[<>"]/);
      }),
      { numRuns: 500 },
    );
  });
});

function around(from: number, to: number): string {
  return Array.from({ length: to - from }, (_, n) => `w${from + n}`).join(' ');
}
