/**
 * Whether an object of a JSON text names a key twice. `JSON.parse` keeps the last and says nothing, so the keys that stand in the
 * text are counted against those that came out of it. Costs one pass from quote to quote: some per cent of parsing.
 *
 * @param text valid JSON, and `value` what it was parsed to
 * @returns a key that is given twice, as it is written; null when there is none
 */
export function doubledKey(text: string, value: unknown): string | null {
  return keysIn(text, () => {}) > keysOf(value) ? firstDoubled(text) : null;
}

/** Counts the strings that a colon follows. Outside of strings, JSON has neither quotes nor backslashes. */
function keysIn(text: string, onKey: (from: number, to: number) => void): number {
  let keys = 0;
  let from = text.indexOf('"');
  while (from >= 0) {
    const to = endOfString(text, from);
    if (text.charCodeAt(afterSpace(text, to + 1)) === COLON) {
      keys += 1;
      onKey(from, to);
    }
    from = text.indexOf('"', to + 1);
  }
  return keys;
}

const COLON = 0x3a;
const BACKSLASH = 0x5c;

/** The quote that ends a string: before it stands an even number of backslashes. */
function endOfString(text: string, from: number): number {
  for (let to = text.indexOf('"', from + 1); ; to = text.indexOf('"', to + 1)) {
    let escapes = 0;
    while (text.charCodeAt(to - 1 - escapes) === BACKSLASH) escapes += 1;
    if (escapes % 2 === 0) return to;
  }
}

function afterSpace(text: string, from: number): number {
  let at = from;
  for (; ; at++) {
    const code = text.charCodeAt(at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return at;
  }
}

/** Without recursion: how deep a text is nested is up to who sends it. */
function keysOf(value: unknown): number {
  let keys = 0;
  const left: unknown[] = [value];
  while (left.length > 0) {
    const next = left.pop();
    if (typeof next !== 'object' || next === null) continue;
    const children: unknown[] = Array.isArray(next) ? next : Object.values(next);
    if (!Array.isArray(next)) keys += children.length;
    for (const child of children) if (typeof child === 'object' && child !== null) left.push(child);
  }
  return keys;
}

/** Which one it is: slower, and only for those that are refused. */
function firstDoubled(text: string): string {
  const open: Set<string>[] = [];
  const keys: { from: number; to: number }[] = [];
  keysIn(text, (from, to) => keys.push({ from, to }));
  let at = 0;
  for (const { from, to } of keys) {
    at = nest(text, at, from, open);
    const key = JSON.parse(text.slice(from, to + 1)) as string;
    const known = open.at(-1);
    if (known?.has(key)) return key;
    known?.add(key);
    at = to + 1;
  }
  return '';
}

/** Opens and closes what begins and ends between two places. Lists count as levels of their own. */
function nest(text: string, from: number, to: number, open: Set<string>[]): number {
  for (let at = from; at < to; at++) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at);
    else if (character === '{' || character === '[') open.push(new Set());
    else if (character === '}' || character === ']') open.pop();
  }
  return to;
}
