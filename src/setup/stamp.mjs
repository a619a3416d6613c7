import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { flushBelow, writeFlushed } from './flush.mjs';
import { root } from './paths.mjs';

/**
 * What a step left behind about what it last worked on, so that the next run sees whether there is anything to do.
 * An unreadable stamp is no stamp.
 *
 * @param {string} file
 * @returns {Record<string, unknown>}
 */
export function readStamp(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return {};
  }
}

/**
 * Vouches for what lies in the stamp's folder: that is on disk before the stamp is.
 *
 * @param {string} file @param {Record<string, unknown>} stamp
 */
export function writeStamp(file, stamp) {
  mkdirSync(dirname(file), { recursive: true });
  flushBelow(dirname(file));
  writeFlushed(file, `${JSON.stringify(stamp)}\n`);
}

/** @param {string} file @returns {string} the hash of its content, or the empty string when there is no such file */
export function hashOfFile(file) {
  try {
    return createHash('sha256').update(readFileSync(file)).digest('hex');
  } catch {
    return '';
  }
}

/**
 * The files below the given files and folders of the project, by path, with what changes when they do: modification
 * time and size. A few hundred files take some milliseconds.
 *
 * @param {string[]} places Relative to the project
 * @param {(path: string) => boolean} wanted
 * @returns {Record<string, string>}
 */
export function fingerprint(places, wanted) {
  const files = places.flatMap((place) => filesBelow(join(root, place))).filter(wanted);
  return Object.fromEntries(files.sort().map((file) => [relative(root, file), changeMark(file)]));
}

/** @param {string} file */
function changeMark(file) {
  const { mtimeMs, size } = statSync(file);
  return `${mtimeMs}:${size}`;
}

/** @param {string} place @returns {string[]} */
function filesBelow(place) {
  const stats = statSync(place, { throwIfNoEntry: false });
  if (stats === undefined) return [];
  if (stats.isFile()) return [place];
  return readdirSync(place).flatMap((name) => filesBelow(join(place, name)));
}
