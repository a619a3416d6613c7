import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { findExecutable } from './findExecutable.mjs';
import { binFolder } from './paths.mjs';

/**
 * The nats-server that is on this machine already: NATS_SERVER_BIN, PATH, Go's folders, and what an earlier set-up
 * obtained, in this order. Null when there is none.
 *
 * @param {{ env?: NodeJS.ProcessEnv, home?: string }} [options]
 * @returns {string | null}
 */
export function findNatsServer({ env = process.env, home = homedir() } = {}) {
  const folders = [...(env.PATH ?? '').split(delimiter), ...goFolders(env, home), binFolder];
  return findExecutable({ name: 'nats-server', variable: 'NATS_SERVER_BIN', env, folders });
}

/** @returns {string[]} */
function goFolders(/** @type {NodeJS.ProcessEnv} */ env, /** @type {string} */ home) {
  const goPaths = (env.GOPATH ?? '').split(delimiter).map((path) => path && join(path, 'bin'));
  return [env.GOBIN ?? '', ...goPaths, join(home, 'go', 'bin')];
}
