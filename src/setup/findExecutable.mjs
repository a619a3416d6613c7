import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';
import { executable } from './paths.mjs';
import { SetUpError } from './step.mjs';

/**
 * A program that is on this machine already: where a variable of the environment says, or in the first of the folders
 * that has it. Null when there is none.
 *
 * @param {{ name: string, variable: string, env: NodeJS.ProcessEnv, folders: string[] }} where
 * @returns {string | null}
 */
export function findExecutable({ name, variable, env, folders }) {
  const named = env[variable];
  if (named) {
    if (isExecutable(named)) return named;
    throw new SetUpError(
      `${variable} is "${named}", which is not an executable file. Correct it or unset it.`,
    );
  }
  const candidates = folders.filter(Boolean).map((folder) => join(folder, executable(name)));
  return candidates.find(isExecutable) ?? null;
}

function isExecutable(/** @type {string} */ path) {
  try {
    accessSync(path, constants.X_OK);
    const stats = statSync(path);
    // A power cut can leave an empty one.
    return stats.isFile() && stats.size > 0;
  } catch {
    return false;
  }
}
