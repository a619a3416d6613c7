import { accessSync, constants, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { binFolder, executable } from './paths.mjs';
import { SetUpError } from './step.mjs';

/**
 * The nats-server that is on this machine already: NATS_SERVER_BIN, PATH, Go's folders, and what an earlier set-up
 * obtained, in this order. Null when there is none.
 *
 * @param {{ env?: NodeJS.ProcessEnv, home?: string }} [options]
 * @returns {string | null}
 */
export function findNatsServer({ env = process.env, home = homedir() } = {}) {
  const named = env.NATS_SERVER_BIN;
  if (named) {
    if (isExecutable(named)) return named;
    throw new SetUpError(
      `NATS_SERVER_BIN is "${named}", which is not an executable file. Correct it or unset it.`,
    );
  }
  const folders = [...(env.PATH ?? '').split(delimiter), ...goFolders(env, home), binFolder];
  const candidates = folders.filter(Boolean).map((folder) => join(folder, executable('nats-server')));
  return candidates.find(isExecutable) ?? null;
}

/** @returns {string[]} */
function goFolders(/** @type {NodeJS.ProcessEnv} */ env, /** @type {string} */ home) {
  const goPaths = (env.GOPATH ?? '').split(delimiter).map((path) => path && join(path, 'bin'));
  return [env.GOBIN ?? '', ...goPaths, join(home, 'go', 'bin')];
}

function isExecutable(/** @type {string} */ path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
