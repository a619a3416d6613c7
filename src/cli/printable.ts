/**
 * Characters that make a terminal do something, or that make text look as what it is not: control characters (C0, C1), format
 * characters (bidirectional marks, zero-width characters), line and paragraph separators, lone surrogates, and whatever else is
 * not shown. The variation selectors of emoji are not among them.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]|(?![\ufe00-\ufe0f])\p{Default_Ignorable_Code_Point}/gu;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** What somebody wrote, as a part of a line: what cannot be printed is escaped as in JSON, line ends too. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => SHORT[character] ?? escaped(character));
}

/** Lines that are to stay lines. For whole answers, so that nothing gets past {@link printable}. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

/** JSON that means the same, in which nothing is that cannot be printed. On several lines with `indent`. */
export function printableJson(value: unknown, indent?: number): string {
  // Outside of strings JSON has no such characters but the line ends of the indentation.
  return printableLines(JSON.stringify(value, null, indent));
}

/** Each of its UTF-16 units, as JSON and most languages have it. */
function escaped(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}
