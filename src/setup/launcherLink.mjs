import { chmodSync, mkdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { join, relative } from 'node:path';
import { nodeModules, root } from './paths.mjs';

const launcher = join(root, 'src', 'cli', 'chat-backend.mjs');

/** Lets `npx chat-backend` find the command: npm links the commands of dependencies, not the project's own. */
export function linkLauncher() {
  const folder = join(nodeModules, '.bin');
  const link = join(folder, 'chat-backend');
  const target = relative(folder, launcher);
  if (linkTarget(link) === target) return;
  mkdirSync(folder, { recursive: true });
  chmodSync(launcher, 0o755);
  rmSync(link, { force: true });
  symlinkSync(target, link);
}

/** @param {string} link */
function linkTarget(link) {
  try {
    return readlinkSync(link);
  } catch {
    return null;
  }
}
