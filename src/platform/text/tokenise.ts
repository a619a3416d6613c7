import { boundedWord, foldWord, WORD_LENGTH_MAX, withoutAccents } from './foldWord.ts';
import { APOSTROPHE, ASCII, ASCII_TOKEN, EMOJI, HAS_LETTER, SEAM, SEAMS, TOKEN } from './tokenPattern.ts';

/**
 * What texts and searches are made of. Its index in the list of tokens is its position: a phrase is tokens one after the
 * other, whatever stands between them.
 *
 * - A **word** is a run of letters and digits: `report.pdf` is two, `don’t` is one. It is also found by its parts
 *   (`camelCase` by `case`, `don’t` by `don`), without accents, and joined with those that a hyphen, an underscore or a dot
 *   ties to it (`wi-fi` by `wifi`).
 * - A **unit** is a character of a script that puts no spaces between words. Nobody has to know where its words end: each
 *   is indexed together with the one after it, and what is searched for is a phrase of such pairs.
 * - An emoji is a word. The colour of its skin does not count.
 */
export interface Token {
  /** Where it is in the composed text, in UTF-16 units: from here … */
  readonly start: number;
  /** … to before here. */
  readonly end: number;
  readonly unit: boolean;
  /** What a search for it asks for. */
  readonly exact: string;
  /** Under what it is found: of a unit the pair that it begins, or itself at the end of a run. */
  readonly words: readonly string[];
  /** With the tokens that are tied to it, as one word. */
  readonly joined?: { readonly word: string; readonly tokens: number };
}

interface Draft extends Token {
  words: readonly string[];
  exact: string;
  joined?: { word: string; tokens: number };
}

/** Tokens of one text, at most: the positions that a tsvector has. */
export const TOKENS_MAX = 16_383;
/** UTF-16 units of a run that are looked at: more than a search may have. */
const LOOKED_AT_MAX = 4 * WORD_LENGTH_MAX;
/** A word with more parts is a key or a checksum, of which nobody knows a part. */
const PARTS_MAX = 6;
/** Words that are tied together by more than this are an address rather than a word. */
const JOINED_MAX = 4;

/** The text that tokens point into: the same for every way to write it. */
export function composed(text: string): string {
  return text.normalize('NFC');
}

/** The tokens of a text, at most {@link TOKENS_MAX}. Takes any string, and depends on no locale. */
export function tokenise(text: string): readonly Token[] {
  const whole = composed(text);
  const tokens: Draft[] = [];
  const pattern = ASCII.test(whole) ? ASCII_TOKEN : TOKEN;
  for (let from = 0; tokens.length < TOKENS_MAX; ) {
    // Set every time: the pattern is shared, and a symbol may be text with tokens of its own.
    pattern.lastIndex = from;
    const match = pattern.exec(whole);
    if (match === null) break;
    const [found, unit, word] = match;
    const start = match.index;
    from = start + found.length;
    if (unit) addUnit(tokens, unit, start, from);
    else if (word !== undefined) addWord(tokens, whole, word, start, from);
    else addSymbol(tokens, found, start, from);
  }
  tokens.splice(TOKENS_MAX);
  for (let n = 0; n < tokens.length; n++) {
    pair(tokens, n);
    join(tokens, n, whole);
  }
  return tokens;
}

function addUnit(tokens: Draft[], text: string, start: number, end: number): void {
  const exact = boundedWord(foldWord(text.slice(0, LOOKED_AT_MAX)));
  if (HAS_LETTER.test(exact)) tokens.push({ start, end, unit: true, exact, words: [exact] });
}

function addWord(tokens: Draft[], whole: string, found: string, start: number, end: number): void {
  // One run of thousands of marks must not cost more than what counts of it.
  const text = found.slice(0, LOOKED_AT_MAX);
  const folded = foldWord(text.replace(APOSTROPHE, ''));
  if (!HAS_LETTER.test(folded)) return;
  const word = boundedWord(folded);
  const exact = marked(whole, word, start, end);
  const parts = partsOf(text);
  if (exact === word && parts.length === 0 && ASCII.test(folded)) {
    tokens.push({ start, end, unit: false, exact, words: [word] });
    return;
  }
  const words = new Set([word, exact, boundedWord(withoutAccents(folded))]);
  for (const part of parts) words.add(boundedWord(part)).add(boundedWord(withoutAccents(part)));
  tokens.push({ start, end, unit: false, exact, words: [...words] });
}

/** With the signs that make another word of it: `@user`, `#tag`, `c++`, `c#`. */
function marked(whole: string, word: string, start: number, end: number): string {
  const before = whole[start - 1] ?? '';
  if (!SIGNS.has(whole[end] ?? '') && !MARKS.has(before)) return word;
  const [suffix] = SUFFIX.exec(whole.slice(end, end + 4)) ?? [];
  if (suffix !== undefined) return word + suffix.normalize('NFKC');
  return MARKS.has(before) ? before.normalize('NFKC') + word : word;
}

const MARKS = new Set('@#＠＃');
const SIGNS = new Set('+#＋＃');
const SUFFIX = /^(?:[+＋]{1,2}|[#＃])(?![\p{L}\p{N}])/u;

/** The parts of a word that has some: of names in programs, of numbers with a unit, around apostrophes. */
function partsOf(text: string): string[] {
  const pieces = text.split(APOSTROPHE);
  if (pieces.length === 1 && !SEAM.test(text)) return [];
  const parts = pieces.flatMap((piece) => piece.split(SEAMS)).map(foldWord);
  const known = parts.filter((part) => HAS_LETTER.test(part));
  return known.length <= PARTS_MAX ? known : [];
}

function addSymbol(tokens: Draft[], symbol: string, start: number, end: number): void {
  if (EMOJI.test(symbol)) {
    tokens.push({ start, end, unit: false, exact: symbol, words: [symbol] });
    return;
  }
  const usual = symbol.normalize('NFKC');
  if (usual === symbol) return;
  for (const token of tokenise(usual)) tokens.push({ ...token, start, end });
}

/** A unit is found by the pair that it begins. */
function pair(tokens: Draft[], n: number): void {
  const [token, next] = [tokens[n], tokens[n + 1]];
  if (token?.unit && next?.unit && next.start === token.end) token.words = [token.exact + next.exact];
}

/** Words that one sign ties together are also found as one. Numbers are not: `1.23` is not `12.3`. */
function join(tokens: Draft[], n: number, whole: string): void {
  const first = tokens[n];
  if (first === undefined || first.unit || (n > 0 && tied(tokens, n - 1, whole))) return;
  let word = first.words[0] ?? '';
  let last = n;
  for (; tied(tokens, last, whole); last++) word += tokens[last + 1]?.words[0] ?? '';
  const count = last - n + 1;
  if (count > 1 && count <= JOINED_MAX) first.joined = { word: boundedWord(word), tokens: count };
}

function tied(tokens: readonly Draft[], n: number, whole: string): boolean {
  const [token, next] = [tokens[n], tokens[n + 1]];
  if (token === undefined || next === undefined || token.unit || next.unit) return false;
  if (next.start !== token.end + 1 || !TIES.has(whole[token.end] ?? '')) return false;
  return TIE.test(whole.slice(token.end - 1, next.start + 1));
}

const TIES = new Set('-_.\u2010\u2011');
const TIE = /^(?!\p{N}.\p{N})[\p{L}\p{N}\p{M}][-_.\u2010\u2011][\p{L}\p{N}]/u;
