/**
 * Patterns of the API documents. They mean the same to every validator, whether or not it reads patterns in Unicode mode: no
 * `\p{…}`, no lookbehind, and what a class excludes is written as ranges. They let pass what is beyond the Basic Multilingual
 * Plane; the server looks closer. Lengths are said beside them, because what a quantifier counts differs.
 */

/** Control, format and private-use characters, line and paragraph separators, as the inside of a class. */
const UNPRINTABLE =
  '\\x00-\\x1f\\x7f-\\x9f\\u00ad\\u0600-\\u0605\\u061c\\u06dd\\u070f\\u0890\\u0891\\u08e2\\u180e\\u200b-\\u200f\\u2028-\\u202e' +
  '\\u2060-\\u2064\\u2066-\\u206f\\ue000-\\uf8ff\\ufeff\\ufff9-\\ufffb';
const SPACES = ' \\u00a0\\u1680\\u2000-\\u200a\\u202f\\u205f\\u3000';
/** Printable, and not to be seen. */
const BLANK = `${SPACES}\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u2065\\u2800\\u3164\\ufe00-\\ufe0f\\uffa0\\ufff0-\\ufff8`;

export const PRINTABLE_PATTERN = `^[^${UNPRINTABLE}]+$`;

/** Printable, with a first and a last character that are seen. */
export const NAME_PATTERN = `^[^${UNPRINTABLE}${BLANK}]([^${UNPRINTABLE}]*[^${UNPRINTABLE}${BLANK}])?$`;

/** Without control characters and spaces. */
export const EMOJI_PATTERN = `^[^\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ue000-\\uf8ff${SPACES}]+$`;

/** Without NUL. */
export const TEXT_PATTERN = '^[^\\x00]*$';

/** A pattern and the length beside it, for the metadata of a schema. Lengths are in code points. */
export function patterned(pattern: string, maxLength: number) {
  return { pattern, minLength: 1, maxLength };
}
