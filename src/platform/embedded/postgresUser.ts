import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { PostgresUserError } from './postgresErrors.ts';

const run = promisify(execFile);

/** PostgreSQL refuses to run as root; started by root, it runs as this user. */
export const postgresUserName = 'postgres';

export interface SystemUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Null when this process is not root and PostgreSQL can simply run as it does. Otherwise the user `postgres`, which is
 * created when it is missing.
 *
 * @throws PostgresUserError
 */
export async function postgresUser(): Promise<SystemUser | null> {
  if (process.getuid?.() !== 0) return null;
  const found = await lookUp();
  if (found !== null) return found;
  const failures = await createUser();
  const created = await lookUp();
  if (created === null)
    throw new PostgresUserError(postgresUserName, failures.join('; ') || 'it was not created');
  return created;
}

async function lookUp(): Promise<SystemUser | null> {
  try {
    const uid = await run('id', ['-u', postgresUserName]);
    const gid = await run('id', ['-g', postgresUserName]);
    return { name: postgresUserName, uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return null;
  }
}

/** Tries the command of most Linux systems, then BusyBox's; returns what went wrong. */
async function createUser(): Promise<string[]> {
  const ways: readonly (readonly [string, readonly string[]])[] = [
    ['useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/bin/false', postgresUserName]],
    ['adduser', ['-S', '-D', '-H', '-s', '/bin/false', postgresUserName]],
  ];
  const failures: string[] = [];
  for (const [command, args] of ways) {
    try {
      await run(command, [...args], { timeout: 30_000 });
      return [];
    } catch (error) {
      failures.push(error instanceof Error ? error.message.trim() : String(error));
    }
  }
  return failures;
}
