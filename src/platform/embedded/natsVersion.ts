import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { NatsServerMissingError, NatsServerTooOldError } from './errors.ts';

const run = promisify(execFile);

/** The oldest server this project is tested with. */
const versionMin = [2, 9, 10] as const;

/**
 * The version of a nats-server binary, as `[major, minor, patch]`.
 * @throws NatsServerMissingError, NatsServerTooOldError
 */
export async function natsServerVersion(binary: string): Promise<readonly [number, number, number]> {
  const output = await run(binary, ['--version'], { timeout: 10_000 }).catch((cause: unknown) => {
    throw new NatsServerMissingError(binary, cause);
  });
  const found = /(\d+)\.(\d+)\.(\d+)/.exec(output.stdout);
  if (found === null)
    throw new NatsServerMissingError(binary, new Error(`--version printed: ${output.stdout}`));
  const version = [Number(found[1]), Number(found[2]), Number(found[3])] as const;
  if (isOlder(version, versionMin)) throw new NatsServerTooOldError(binary, found[0], versionMin.join('.'));
  return version;
}

function isOlder(version: readonly number[], other: readonly number[]): boolean {
  const differing = other.findIndex((part, index) => part !== version[index]);
  return differing !== -1 && (version[differing] ?? 0) < (other[differing] ?? 0);
}
