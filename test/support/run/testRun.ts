import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * What marks everything of one vitest run: an environment variable that every process inherits and that names the
 * folder in which all temporary folders lie.
 */
export const runFolderVariable = 'CHAT_TEST_RUN_FOLDER';

/** Called once per run, before the workers are forked. Others than root may enter it, and see nothing. */
export function makeRunFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'chat-test-')));
  chmodSync(folder, 0o711);
  process.env[runFolderVariable] = folder;
  return folder;
}

/** A new empty folder, which the test removes; a forgotten one fails the run. */
export function makeTempFolder(name: string, mode = 0o711): string {
  const folder = join(
    process.env[runFolderVariable] ?? tmpdir(),
    `${name}-${randomBytes(6).toString('hex')}`,
  );
  mkdirSync(folder);
  // Not left to mkdir, whose mode is subject to the umask.
  chmodSync(folder, mode);
  return realpathSync(folder);
}
