import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder: everything set up lies in it. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export const nodeModules = join(root, 'node_modules');

export const dist = join(root, 'dist');

/** Where a nats-server goes that the set-up obtains. Not in node_modules, which people delete. */
export const binFolder = join(root, '.data', 'bin');

/** A program's file name on this platform. */
export const executable = (/** @type {string} */ name) =>
  process.platform === 'win32' ? `${name}.exe` : name;
