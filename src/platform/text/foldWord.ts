/** Characters that are not seen (soft hyphens, joiners, zero width), enclosing marks, and the stroke that lengthens Arabic words. */
const UNSEEN = /[\p{Default_Ignorable_Code_Point}\p{Me}\u0640]+/gu;
/** What a word is not made of. An apostrophe may be a letter to Unicode (U+02BC). */
const NO_PART = /[^\p{L}\p{N}\p{M}]+|[\p{Default_Ignorable_Code_Point}\p{Me}\u0640\u02BC]+/gu;
/** Marks that are left out as often as not. In other scripts they are vowels. */
const ACCENTS = /([\p{sc=Latn}\p{sc=Grek}\p{sc=Cyrl}\p{sc=Hebr}\p{sc=Arab}])\p{Mn}+/gu;
/** What becomes of the Turkish capital with a dot. */
const DOTTED_I = /i\u0307+/g;
const ASCII_WORD = /^[0-9A-Za-z]*$/;

/** UTF-16 units of a word that count: what is longer is found by its beginning. A tsvector takes 2,046 bytes. */
export const WORD_LENGTH_MAX = 64;

/**
 * A word as it is compared: compatibility forms (full width, ligatures) as usual ones, composed, in one case (`Straße` is
 * `strasse`, `ΛΌΓΟΣ` is `λόγοσ`), without what is not seen. Folding twice changes nothing. It depends on no locale.
 *
 * @param word letters, digits and marks; anything else in it is left out
 */
export function foldWord(word: string): string {
  if (ASCII_WORD.test(word)) return word.toLowerCase();
  const usual = word.replace(UNSEEN, '').normalize('NFKC').replace(NO_PART, '');
  // Some letters only meet as capitals (ß and ss), some of those only as small ones (ẞ and ß).
  const inOneCase = usual.toLowerCase().toUpperCase().toLowerCase();
  // A sigma at the end is another letter than one inside.
  return inOneCase.replaceAll('ς', 'σ').replace(DOTTED_I, 'i').replace(NO_PART, '').normalize('NFKC');
}

/** A folded word without accents and vowel points, where the script can do without: `cafe` of `café`. */
export function withoutAccents(folded: string): string {
  if (ASCII_WORD.test(folded)) return folded;
  return folded.normalize('NFD').replace(ACCENTS, '$1').normalize('NFC');
}

/** The part of a word that counts, never half a character. */
export function boundedWord(word: string): string {
  if (word.length <= WORD_LENGTH_MAX) return word;
  const cut = word.slice(0, WORD_LENGTH_MAX);
  return cut.isWellFormed() ? cut : cut.slice(0, -1);
}
