import { delimiter } from 'node:path';
import { findExecutable } from './findExecutable.mjs';
import { binFolder } from './paths.mjs';

/**
 * The redis-server that is on this machine already, for the tests: REDIS_SERVER_BIN, PATH, and what an earlier run
 * obtained, in this order. Null when there is none.
 *
 * @param {{ env?: NodeJS.ProcessEnv }} [options]
 * @returns {string | null}
 */
export function findRedisServer({ env = process.env } = {}) {
  const folders = [...(env.PATH ?? '').split(delimiter), binFolder];
  return findExecutable({ name: 'redis-server', variable: 'REDIS_SERVER_BIN', env, folders });
}
