import { isVisible } from '../../contracts/ids.ts';
import { invalid } from '../request/validate.ts';

/** Characters of a file's name, at most: what file systems take. */
const NAME_LENGTH_MAX = 255;
/** Control characters, and those that turn the direction of what follows, so that `gpj.exe` is read as `exe.jpg`. */
const FORBIDDEN = /[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/u;

/**
 * The name under which an upload is kept: the last part of the path that the client named, whatever system it is from.
 *
 * @returns `file` when there is none, or none that can be seen
 * @throws ChatError invalid_request
 */
export function uploadName(named: string | undefined): string {
  const last = (named ?? '').split(/[/\\]/).at(-1) ?? '';
  if (FORBIDDEN.test(last)) throw wrong('must not have control characters in its name');
  if ([...last].length > NAME_LENGTH_MAX)
    throw wrong(`must have a name of at most ${NAME_LENGTH_MAX} characters`);
  return /^\.{0,2}$/.test(last) || !isVisible(last) ? 'file' : last;
}

function wrong(reason: string) {
  return invalid([{ path: 'file', reason }]);
}

/**
 * A `Content-Disposition` that saves and never shows: the name in full for all that know RFC 8187, and in ASCII for others.
 * Source: RFC 6266, section 4.3 and appendix D.
 */
export function contentDisposition(name: string): string {
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/gu, '_');
  const full = encodeURIComponent(name).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${full}`;
}
