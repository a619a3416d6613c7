import { tokenise } from './tokenise.ts';

/** Positions that a tsvector keeps of one lexeme; it drops the others without a word. */
const POSITIONS_MAX = 255;

/**
 * The words of a text with their positions, in the notation of a `tsvector`: `'hello':1 'world':2`. Made without any text
 * search configuration, so it is the same whatever locale and settings a database has.
 */
export function searchVector(text: string): string {
  const positions = new Map<string, number[]>();
  const add = (word: string, position: number) => {
    const known = positions.get(word);
    if (known === undefined) positions.set(word, [position]);
    else if (known.length < POSITIONS_MAX) known.push(position);
  };
  tokenise(text).forEach(({ words, joined }, index) => {
    for (const word of words) add(word, index + 1);
    if (joined !== undefined) add(joined.word, index + 1);
  });
  return Array.from(positions, ([word, at]) => `${quotedLexeme(word)}:${at.join(',')}`).join(' ');
}

/** A lexeme as `tsvector` and `tsquery` read it: whatever is in it, it is one. */
export function quotedLexeme(word: string): string {
  return `'${word.replace(/['\\]/g, '$&$&')}'`;
}
