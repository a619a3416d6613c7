import { composed, type Token, tokenise } from '../platform/text/tokenise.ts';
import type { Phrase, PhrasePart } from './searchTerms.ts';

/** Tokens of a hit that are shown around the words that were found, at most, and before the first of them. */
const FRAGMENT_TOKENS = 24;
const LEAD_TOKENS = 8;
const FRAGMENTS_MAX = 2;
const BETWEEN = ' … ';
/** Of lexemes with tokens, for one text: more than any text of words takes, but `a a a …` may be searched for in itself. */
const COMPARISONS_MAX = 20_000;
/** A fragment may be of one endless word. */
const FRAGMENT_LENGTH_MAX = 500;

/**
 * The text around what was searched for, as HTML in which `<mark>` is the only markup: all of a short text, else up to two
 * fragments. Without a match, its beginning.
 */
export function highlight(content: string, phrases: readonly Phrase[]): string {
  const text = composed(content);
  const tokens = tokenise(text);
  const isHit = hits(tokens, phrases);
  return fragments(tokens, isHit)
    .map((range) => fragment(text, tokens, isHit, range))
    .join(BETWEEN);
}

/** Which tokens are a part of what was searched for. */
function hits(tokens: readonly Token[], phrases: readonly Phrase[]): boolean[] {
  const isHit = Array.from(tokens, () => false);
  const known = positionsOf(tokens);
  const budget = { left: COMPARISONS_MAX };
  for (const { parts, tokens: length } of phrases) {
    const [first] = parts;
    if (first === undefined) continue;
    for (const at of candidates(first, tokens, known)) {
      const end = phraseEnd(tokens, at, parts, budget);
      if (end > at) isHit.fill(true, at, Math.max(end, at + length));
      if (budget.left <= 0) return isHit;
    }
  }
  return isHit;
}

/** Before which token a phrase ends that begins at this one; 0: none does. */
function phraseEnd(
  tokens: readonly Token[],
  at: number,
  parts: readonly PhrasePart[],
  budget: { left: number },
): number {
  let end = 0;
  for (const part of parts) {
    budget.left -= 1;
    const length = span(tokens[at + part.offset], part);
    if (length === 0) return 0;
    end = Math.max(end, at + part.offset + length);
  }
  return end;
}

/** Where each word is, in the order of the text. */
function positionsOf(tokens: readonly Token[]): Map<string, number[]> {
  const known = new Map<string, number[]>();
  tokens.forEach(({ words, exact, joined }, at) => {
    for (const word of new Set([...words, exact, joined?.word ?? exact])) {
      const positions = known.get(word);
      if (positions === undefined) known.set(word, [at]);
      else positions.push(at);
    }
  });
  return known;
}

/** Where a phrase may begin. Only one word of a search is still being typed: the whole text is looked through for that. */
function candidates(
  { lexeme, prefix, unit }: PhrasePart,
  tokens: readonly Token[],
  known: ReadonlyMap<string, number[]>,
): Iterable<number> {
  return prefix && !unit ? tokens.keys() : (known.get(lexeme) ?? []);
}

/** Over how many tokens a lexeme of the phrase is there; 0: it is not. */
function span(token: Token | undefined, { lexeme, prefix }: PhrasePart): number {
  if (token === undefined) return 0;
  const fits = (word: string) => (prefix ? word.startsWith(lexeme) : word === lexeme);
  if (token.words.some(fits)) return 1;
  return token.joined !== undefined && fits(token.joined.word) ? token.joined.tokens : 0;
}

/** Which tokens are shown, as `[from, to)`. */
function fragments(tokens: readonly Token[], isHit: readonly boolean[]): [number, number][] {
  const total = tokens.length;
  if (total <= FRAGMENTS_MAX * FRAGMENT_TOKENS) return [[0, total]];
  const shown: [number, number][] = [];
  let at = isHit.indexOf(true);
  for (let n = 0; n < FRAGMENTS_MAX && at >= 0; n++) {
    const from = Math.max(shown.at(-1)?.[1] ?? 0, at - LEAD_TOKENS);
    const to = Math.min(total, from + FRAGMENT_TOKENS);
    const last = shown.at(-1);
    // One that begins where the one before ends goes on with it.
    if (last?.[1] === from) last[1] = to;
    else shown.push([from, to]);
    at = isHit.indexOf(true, to);
  }
  return shown.length > 0 ? shown : [[0, FRAGMENT_TOKENS]];
}

/** The text from a token to before another, marked; at the ends of the text with what is before and after its words. */
function fragment(
  text: string,
  tokens: readonly Token[],
  isHit: readonly boolean[],
  [from, to]: readonly [number, number],
): string {
  const start = from === 0 ? 0 : (tokens[from]?.start ?? 0);
  const end = Math.min(
    to === tokens.length ? text.length : (tokens[to - 1]?.end ?? 0),
    start + FRAGMENT_LENGTH_MAX,
  );
  let html = '';
  let done = start;
  for (let n = from; n < to && done < end; n++) {
    const token = tokens[n];
    if (token === undefined || !isHit[n] || token.end <= done) continue;
    // Hits that touch each other are one.
    let last = token;
    for (; isHit[n + 1] && n + 1 < to && (tokens[n + 1]?.start ?? 0) <= last.end; n++)
      last = tokens[n + 1] ?? last;
    const [open, close] = [Math.max(done, token.start), Math.min(last.end, end)];
    if (open >= close) continue;
    html += `${escaped(text.slice(done, open))}<mark>${escaped(text.slice(open, close))}</mark>`;
    done = close;
  }
  return (html + escaped(text.slice(done, Math.max(done, end)))).toWellFormed();
}

/** Nothing in it can be markup. */
function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => ENTITIES[sign] ?? sign);
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
