import { TEXT_TYPES } from '../../contracts/uploads/mediaTypes.ts';

/** What a text counts as that says nothing more precise, or something that a page could run or show. */
export const PLAIN = 'text/plain';

/** Types that no browser does anything with. */
const INERT: ReadonlySet<string> = new Set(TEXT_TYPES);

/** Other names under which clients declare the same. */
const ALIASES: Readonly<Record<string, string>> = {
  'text/x-markdown': 'text/markdown',
  'text/comma-separated-values': 'text/csv',
  'application/csv': 'text/csv',
  // What Windows with Excel calls a CSV file.
  'application/vnd.ms-excel': 'text/csv',
  'text/x-vcard': 'text/vcard',
  'text/json': 'application/json',
  'application/jsonl': 'application/x-ndjson',
  'application/x-yaml': 'application/yaml',
  'text/yaml': 'application/yaml',
  'text/x-yaml': 'application/yaml',
  'text/toml': 'application/toml',
  'application/x-sql': 'application/sql',
  'text/x-sql': 'application/sql',
  // What some systems call TypeScript, for its ending `.ts`.
  'video/mp2t': PLAIN,
  'video/vnd.dlna.mpeg-tts': PLAIN,
};

/** Kinds of files that are no text. SVG is text that says it is an image: it is not taken as one. */
const NO_TEXT = /^(image|audio|video|font|model)\/|^application\/(pdf|zip)$/;

/**
 * The type under which a text is kept.
 *
 * @param declared as the client names it, in lower case
 * @returns null when the client says that it is no text
 */
export function textTypeOf(declared: string): string | null {
  const named = ALIASES[declared] ?? declared;
  if (INERT.has(named)) return named;
  return NO_TEXT.test(named) ? null : PLAIN;
}

/** Whether a type that an upload is kept under is one of text. */
export function isTextType(mediaType: string): boolean {
  return INERT.has(mediaType);
}
