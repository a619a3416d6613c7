import { quotedLexeme } from '../platform/text/searchVector.ts';
import { composed, type Token, tokenise } from '../platform/text/tokenise.ts';

/** One lexeme of a phrase. */
export interface PhrasePart {
  readonly lexeme: string;
  /** Whatever begins with it counts too. */
  readonly prefix: boolean;
  /** Its position after that of the first one. */
  readonly offset: number;
  /** Of a script without spaces. One that is alone is a prefix: it finds the pairs that begin with it. */
  readonly unit: boolean;
}

/** Lexemes at fixed distances; `tokens` is how long the whole of it is. */
export interface Phrase {
  readonly parts: readonly PhrasePart[];
  readonly tokens: number;
}

/** Found by any of these. */
type Term = readonly Phrase[];

/** What a search asks for. */
export interface SearchTerms {
  /** In the notation of a `tsquery`. */
  readonly tsquery: string;
  /** What is searched for and not excluded: what a hit shows. */
  readonly phrases: readonly Phrase[];
}

/** A word that is still being typed must be this long, in characters, before others that begin with it are found. */
const PREFIX_LENGTH_MIN = 3;

/** Of one alternative: what must be there, and what must not. */
interface Alternative {
  readonly wanted: Term[];
  readonly excluded: Term[];
}

/**
 * Reads a search as people type it: all of the words, `"a phrase"`, `or`, `-not`. What the tokeniser takes apart (`a/b`) is
 * a phrase. The last word finds whatever begins with it, unless something comes after it, be it a space.
 *
 * @param text at most `SEARCH_LENGTH_MAX` characters
 * @returns null when there is nothing to be searched for: no word, or only words that must not be there
 */
export function searchTerms(text: string): SearchTerms | null {
  const alternatives: Alternative[] = [{ wanted: [], excluded: [] }];
  let isOrPending = false;
  const pieces = piecesOf(composed(text).replace(QUOTES, '"'));
  for (const piece of pieces) {
    const current = alternatives.at(-1);
    if (pieces.length > 1 && !piece.isQuoted && OR.test(piece.text)) {
      isOrPending = current?.wanted.length !== 0;
      continue;
    }
    const term = termOf(piece);
    if (term === null) continue;
    if (isOrPending) alternatives.push({ wanted: [], excluded: [] });
    isOrPending = false;
    alternatives.at(-1)?.[piece.isExcluded ? 'excluded' : 'wanted'].push(term);
  }
  const searched = alternatives.filter(({ wanted }) => wanted.length > 0);
  if (searched.length === 0) return null;
  return {
    tsquery: searched.map(alternativeQuery).join(' | '),
    phrases: searched.flatMap(({ wanted }) => wanted.flat()),
  };
}

const OR = /^or$/i;
const QUOTES = /[\u201C-\u201F\u00AB\u00BB\uFF02]/g;

/** What stands between spaces, or in quotes. */
interface Piece {
  readonly text: string;
  readonly isQuoted: boolean;
  readonly isExcluded: boolean;
  /** Nothing comes after it: its last word may go on. */
  readonly isOpen: boolean;
}

function piecesOf(typed: string): Piece[] {
  const pieces: Piece[] = [];
  let isExcluded = false;
  for (const { index, 0: found, 1: quoted, 2: closing, 3: bare = '' } of typed.matchAll(PIECE)) {
    const isOpen = closing !== '"' && index + found.length === typed.length;
    if (quoted !== undefined) {
      pieces.push({ text: quoted, isQuoted: true, isExcluded, isOpen });
      isExcluded = false;
      continue;
    }
    const isFirst = /^\s?$/.test(typed[index - 1] ?? '');
    isExcluded = bare === '-' && isFirst && typed[index + 1] === '"';
    if (isExcluded) continue;
    const isNot = isFirst && NOT.test(bare);
    pieces.push({ text: isNot ? bare.slice(1) : bare, isQuoted: false, isExcluded: isNot, isOpen });
  }
  return pieces;
}

/** Quotes, which may be open at the end, or no space. */
const PIECE = /"([^"]*)("?)|([^\s"]+)/g;
/** Of a word. A dash before something else is one like any other sign. */
const NOT = /^-[\p{L}\p{N}\p{So}@#]/u;

function termOf({ text, isOpen, isQuoted, isExcluded }: Piece): Term | null {
  const tokens = tokenise(text);
  const [first] = tokens;
  if (first === undefined) return null;
  const goesOn = isOpen && !isExcluded && tokens.at(-1)?.end === text.length;
  const phrase = { parts: partsOf(tokens, goesOn), tokens: tokens.length };
  const { joined } = first;
  if (isQuoted || joined?.tokens !== tokens.length) return [phrase];
  const whole = { lexeme: joined.word, prefix: goesOn, offset: 0, unit: false };
  return [phrase, { parts: [whole], tokens: 1 }];
}

/** Of a run of units the pairs; of one alone whatever pair begins with it. */
function partsOf(tokens: readonly Token[], goesOn: boolean): PhrasePart[] {
  return tokens.flatMap((token, offset): PhrasePart[] => {
    const isLast = offset === tokens.length - 1;
    if (!token.unit) {
      const prefix = goesOn && isLast && [...token.exact].length >= PREFIX_LENGTH_MIN;
      return [{ lexeme: token.exact, prefix, offset, unit: false }];
    }
    const [pair] = token.words;
    if (pair !== undefined && pair !== token.exact)
      return [{ lexeme: pair, prefix: false, offset, unit: true }];
    const before = tokens[offset - 1];
    const isAlone = before === undefined || !before.unit || before.end !== token.start;
    return isAlone ? [{ lexeme: token.exact, prefix: true, offset, unit: true }] : [];
  });
}

function alternativeQuery({ wanted, excluded }: Alternative): string {
  const all = [...wanted.map(termQuery), ...excluded.map((term) => `!${termQuery(term)}`)];
  return `(${all.join(' & ')})`;
}

function termQuery(term: Term): string {
  return `(${term.map(({ parts }) => phraseQuery(parts)).join(' | ')})`;
}

function phraseQuery(parts: readonly PhrasePart[]): string {
  return parts
    .map(({ lexeme, prefix, offset }, n) => {
      const distance = offset - (parts[n - 1]?.offset ?? offset);
      return `${n === 0 ? '' : ` <${distance}> `}${quotedLexeme(lexeme)}${prefix ? ':*' : ''}`;
    })
    .join('');
}
