/**
 * What may be uploaded beside text: what chats are full of, and nothing that a browser runs. Office files are not on it, which
 * are not worth their macros here.
 */
export const BINARY_TYPES = [
  'image/png',
  'image/jpeg',
  'image/gif',
  'image/webp',
  'image/avif',
  'application/pdf',
  'audio/mpeg',
  'audio/ogg',
  'audio/wav',
  'video/mp4',
  'video/webm',
  'application/zip',
] as const;

/**
 * Types that a text keeps when a client declares them: no browser runs them, styles a page by them or shows them as one. Every
 * other text (HTML, SVG, XML, scripts, style sheets, source code) is kept and served as the first of them.
 */
export const TEXT_TYPES = [
  'text/plain',
  'text/markdown',
  'text/csv',
  'text/tab-separated-values',
  'text/calendar',
  'text/vcard',
  'application/json',
  'application/x-ndjson',
  'application/geo+json',
  'application/ld+json',
  'application/yaml',
  'application/toml',
  'application/sql',
] as const;
