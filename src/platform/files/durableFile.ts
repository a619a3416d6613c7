import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface DurableFileOptions {
  /** Permissions of a new file. Default 0o600: most of what we keep is nobody else's business. */
  readonly mode?: number;
}

/**
 * Writes a file that is needed again after a power cut: under a new name, flushed, renamed, and its folder flushed. A reader
 * and a machine that comes back find the old content or the new one, never half of it and never an empty file.
 * Synchronous: these files are small and written seldom.
 *
 * Source: the order that `man 2 fsync` and the SQLite document "Atomic Commit" give.
 *
 * @throws what the file system throws; the old content is still there then
 */
export function writeDurably(
  path: string,
  content: string | Uint8Array,
  options: DurableFileOptions = {},
): void {
  const beside = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const file = openSync(beside, 'wx', options.mode ?? 0o600);
    try {
      writeAll(file, Buffer.from(content));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
  flushFolder(dirname(path));
}

/** `write` may take less than it is given. */
function writeAll(file: number, bytes: Uint8Array): void {
  for (let offset = 0; offset < bytes.length; ) offset += writeSync(file, bytes, offset);
}

/** What was made, renamed or removed in a folder survives a power cut from here on. */
export function flushFolder(folder: string): void {
  // Windows cannot open a folder, and needs nothing like this.
  if (process.platform === 'win32') return;
  const opened = openSync(folder, 'r');
  try {
    fsyncSync(opened);
  } finally {
    closeSync(opened);
  }
}

/**
 * Flushes every file and folder below a folder, by any process, one after the other and beside the event loop. A file that
 * goes meanwhile is no loss.
 *
 * @returns how many files were flushed
 */
export async function flushTree(folder: string): Promise<number> {
  let files = 0;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) files += await flushTree(path).catch(ifGone(0));
    else if (entry.isFile()) files += await flushFile(path).catch(ifGone(0));
  }
  flushFolder(folder);
  return files;
}

async function flushFile(path: string): Promise<number> {
  const file = await open(path, 'r');
  await file.sync().finally(() => file.close());
  return 1;
}

function ifGone<T>(otherwise: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return otherwise;
    throw error;
  };
}
