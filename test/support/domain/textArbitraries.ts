import fc from 'fast-check';

const SCRIPTS = [
  ...[
    'hello',
    'Wörld',
    'cafe\u0301',
    "don't",
    'don’t',
    'Straße',
    'ΛΌΓΟΣ',
    'Ёлка',
    'İstanbul',
    'ﬁn',
    'ＡＢＣ',
  ],
  ...['我家在上海', '東京', 'ひらがな', 'カタカナ', 'ﾊﾝｶｸｶﾞ', '한국어', '한', 'ภาษาไทย', 'ພາສາ', 'ភាសា'],
  ...['हिन्दी', 'தமிழ்', 'مَرْحَبًا', 'ـكتاب', 'שָׁלוֹם', 'צה״ל'],
  ...['👍', '👍🏽', '👨‍👩‍👧', '🇩🇪', '1️⃣', '™', '㍿', '½', 'ﷺ', '①'],
  ...[
    'getUserName',
    'snake_case',
    'wi-fi',
    'node.js',
    'C++',
    'C#',
    '@user',
    '#tag',
    'v1.2.3',
    '10:30',
    '1,000.50',
  ],
  ...[
    '\u00ad',
    '\u200b',
    '\u200d',
    '\ufeff',
    '\u0301',
    '\ud800',
    '\udc00',
    '\0',
    '"',
    "'",
    '’',
    '-',
    '_',
    '.',
    '…',
  ],
];

/** Text of many scripts, of words and signs that meet in every way, and of whatever a string may hold. */
export const anyText: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...SCRIPTS) },
      { weight: 2, arbitrary: fc.constantFrom(' ', ' ', '\n', '/', '，', '+', '#', '@') },
      { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 8 }) },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
      { weight: 1, arbitrary: fc.nat(0xffff).map((code) => String.fromCharCode(code)) },
    ),
    { maxLength: 20 },
  )
  .map((parts) => parts.join(''));
