import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isReaction, normaliseReaction } from '../../../src/contracts/emoji.ts';
import { AnyEmoji, Emoji } from '../../../src/contracts/ids.ts';

const WHOLE = ['👍', '👍🏽', '❤️', '❤️‍🔥', '🏳️‍🌈', '🇩🇪', '1️⃣', '👩‍👩‍👧', '🕵️‍♂️', '🕵🏻‍♂️', '☝🏽', '☝️', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '©️'];
const bare = (emoji: string) => emoji.replaceAll(/[\uFE0E\uFE0F]/g, '');

describe('a reaction', () => {
  it.each(WHOLE)('%s is one, and the same with other variation selectors', (emoji) => {
    expect(Emoji.parse(emoji)).toBe(emoji);
    expect(Emoji.parse(bare(emoji))).toBe(emoji);
    expect(Emoji.parse([...bare(emoji)].join('\uFE0F').replaceAll('\uFE0F\u200D\uFE0F', '\u200D'))).toBe(
      emoji,
    );
  });

  it.each([':shipit:', ':+1:', ':A_b-2:'])('%s is a name', (name) => {
    expect(Emoji.parse(name)).toBe(name);
  });

  it.each([
    '',
    'tea',
    '1',
    '#',
    '.',
    '..',
    '👍👍',
    '👍x',
    '❤️❤',
    '🇩',
    '\u200D',
    '\uFE0F',
    '🏽x',
    ':a b:',
    '::',
    `:${'a'.repeat(31)}:`,
  ])('%j is none', (text) => {
    expect(Emoji.safeParse(text).success).toBe(false);
  });

  it('of any other spelling is normalised once and for all, and what was stored before stays readable', () => {
    const parts = fc.constantFrom(
      '❤',
      '\uFE0F',
      '\uFE0E',
      '👍',
      '\u200D',
      '🏽',
      '1',
      '\u20E3',
      'e\u0301',
      'x',
      '🇩',
      '🇪',
    );
    const texts = fc.oneof(
      fc.array(parts, { maxLength: 8 }).map((all) => all.join('')),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const once = normaliseReaction(text);
        expect(normaliseReaction(once)).toBe(once);
        const stored = AnyEmoji.safeParse(text);
        if (stored.success) expect(stored.data).toBe(once);
        if (isReaction(once)) expect(Emoji.parse(text)).toBe(once);
      }),
    );
  });
});
