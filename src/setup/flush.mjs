import { spawnSync } from 'node:child_process';
import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** A disk that is slower than this has other troubles, in milliseconds. */
const FLUSH_MS_MAX = 120_000;

/**
 * Brings to disk what a step wrote below a folder, by any program: after a power cut a stamp must not vouch for files that
 * are empty. `sync -f` flushes the whole file system, which is quicker than a file at a time for tens of thousands. Where
 * there is no such program, the operating system flushes in its own time.
 *
 * @param {string} folder
 */
export function flushBelow(folder) {
  spawnSync('sync', ['-f', folder], { timeout: FLUSH_MS_MAX, stdio: 'ignore' });
}

/**
 * Writes a file under a new name, flushes it, and renames it: a power cut leaves the old content or the new one.
 *
 * @param {string} path @param {string} content
 */
export function writeFlushed(path, content) {
  const beside = `${path}.${process.pid}`;
  const file = openSync(beside, 'w');
  try {
    writeFileSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(beside, path);
  flushFolder(dirname(path));
}

/** @param {string} folder */
function flushFolder(folder) {
  if (process.platform === 'win32') return;
  const opened = openSync(folder, 'r');
  try {
    fsyncSync(opened);
  } finally {
    closeSync(opened);
  }
}
