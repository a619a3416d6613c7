/** Scripts that are written without spaces between words, or (Korean) with more in a word than is searched for. */
const UNSPACED = [
  'Hani',
  'Hira',
  'Kana',
  'Bopo',
  'Hang',
  'Yiii',
  'Thai',
  'Laoo',
  'Khmr',
  'Mymr',
  'Lana',
  'Talu',
];
const SCRIPTS = UNSPACED.map((script) => `\\p{scx=${script}}`).join('');
const INNER = '\\p{M}\\p{Default_Ignorable_Code_Point}';

/** A character of such a script, with its marks; the voice marks of half-width katakana are letters to Unicode. */
const UNIT = `[[\\p{L}\\p{N}]&&[${SCRIPTS}]][${INNER}\\uFF9E\\uFF9F]*`;
const PART = `[[\\p{L}\\p{N}${INNER}]--[${SCRIPTS}]]+`;

/** Straight, curly, typed for want of one; the Hebrew signs that are used alike. */
const APOSTROPHES = "['\\u2019\\u2018\\u02BC\\uFF07\\u00B4\\x60\\u2032\\u05F3\\u05F4]";
/** Between two letters an apostrophe belongs to the word. */
const WORD = `${PART}(?:(?<=[\\p{L}${INNER}])${APOSTROPHES}(?=\\p{L})${PART})*`;

/** Flags, emoji, and signs of which some are words (™). */
const SYMBOL = '\\p{RI}{2}|\\p{So}|[\\p{Extended_Pictographic}--[\\p{ASCII}]]';

/** Finds the next token: group 1 a unit of a script without spaces, group 2 a word, group 3 a symbol. */
export const TOKEN = new RegExp(`(${UNIT})|(${WORD})|(${SYMBOL})`, 'gv');

export const ASCII = /^[\0-\x7F]*$/;
/** The same for text that is all ASCII, in which there are words alone; several times as fast. */
export const ASCII_TOKEN = /()([0-9A-Za-z]+(?:(?<=[A-Za-z])['`](?=[A-Za-z])[0-9A-Za-z]+)*)/g;

export const APOSTROPHE = new RegExp(APOSTROPHES, 'gv');
/** What is indexed of symbols as such; not the signs of trade, and no arrows. */
export const EMOJI = /^(?:\p{RI}{2}|(?![©®‼⁉™ℹ↔-↪])\p{Extended_Pictographic})$/u;
/** Letters or digits, without which there is no word. */
export const HAS_LETTER = /[\p{L}\p{N}]/u;
/** Where a word may have parts: changes of case, and between letters and digits. */
export const SEAM = /\p{Ll}\p{Lu}|\p{Lu}\p{Lu}\p{Ll}|\p{L}\p{M}*\p{N}|\p{N}\p{L}/u;
/** The look ahead comes first: looking back over marks from each of many would take the square of their number. */
export const SEAMS =
  /(?=\p{Lu})(?<=\p{Ll})|(?=\p{Lu}\p{Ll})(?<=\p{Lu})|(?=\p{N})(?<=\p{L}\p{M}*)|(?=\p{L})(?<=\p{N})/u;
