import type { ByteRange } from '../../ports/attachmentStore.ts';

const SINGLE = /^bytes=[ \t]*(\d{0,15})[ \t]*-[ \t]*(\d{0,15})[ \t]*$/i;

/**
 * What a `Range` header asks for of `length` bytes. Several ranges, other units and what cannot be read are ignored, as the
 * RFC lets a server do.
 *
 * @returns null: all of it
 * Source: RFC 9110, section 14.
 */
export function parseRange(header: string | undefined, length: number): ByteRange | 'unsatisfiable' | null {
  const match = SINGLE.exec(header ?? '');
  if (match === null) return null;
  const [, from = '', to = ''] = match;
  if (from === '' && to === '') return null;
  if (from === '') return suffix(Number(to), length);
  const [first, last] = [Number(from), to === '' ? length - 1 : Number(to)];
  if (to !== '' && last < first) return null;
  return first >= length ? 'unsatisfiable' : { first, last: Math.min(last, length - 1) };
}

function suffix(wanted: number, length: number): ByteRange | 'unsatisfiable' {
  if (wanted === 0 || length === 0) return 'unsatisfiable';
  return { first: Math.max(0, length - wanted), last: length - 1 };
}

/** Whether an `If-None-Match` names this entity. Source: RFC 9110, section 13.1.2 (weak comparison). */
export function namesEntity(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.trim() === '*' || header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
}
