import { type ExecFileException, execFile } from 'node:child_process';
import type { PostgresBinaries } from './postgresBinaries.ts';
import { PostgresFolderUnreachableError } from './postgresErrors.ts';
import type { SystemUser } from './postgresUser.ts';

/** How to run a PostgreSQL program so that it is not root and still reaches its files. */
export interface Launcher {
  /** The command line to spawn for the program. */
  wrap(program: string, args: readonly string[]): { readonly command: string; readonly args: string[] };
  /** Set when the spawn itself changes the user. */
  readonly uid?: number;
  readonly gid?: number;
}

/** For an ordinary user: nothing to do. */
const asMyself: Launcher = { wrap: (program, args) => ({ command: program, args: [...args] }) };

/**
 * Finds the least privilege with which PostgreSQL works in `folder`. A fresh clone may lie where only root may enter
 * (`mktemp -d`, /root): then the server gets one ambient capability, to search and read past folder permissions. It
 * cannot write to anything that its user does not own. Containers may withhold that capability and grant
 * `dac_override`, so that comes next.
 *
 * @throws PostgresFolderUnreachableError
 */
export async function postgresLauncher(
  user: SystemUser | null,
  binaries: PostgresBinaries,
  folder: string,
): Promise<Launcher> {
  if (user === null) return asMyself;
  const candidates = [
    asUser(user),
    withCapability(user, 'dac_read_search'),
    withCapability(user, 'dac_override'),
  ];
  const failures: string[] = [];
  for (const launcher of candidates) {
    const failure = await probe(launcher, binaries, folder);
    if (failure === null) return launcher;
    failures.push(failure);
  }
  throw new PostgresFolderUnreachableError(user.name, folder, failures[0] ?? 'unknown reason');
}

function asUser(user: SystemUser): Launcher {
  return { ...asMyself, uid: user.uid, gid: user.gid };
}

/**
 * setpriv keeps the pid, as it executes the program in its own place. `no_setuid_fixup` is needed because access(2),
 * with which initdb looks for postgres, otherwise ignores the capabilities of a process whose real user is not root.
 */
function withCapability(user: SystemUser, capability: string): Launcher {
  const privileges = [
    '--securebits=+no_setuid_fixup',
    `--reuid=${user.uid}`,
    `--regid=${user.gid}`,
    '--clear-groups',
    `--inh-caps=-all,+${capability}`,
    `--ambient-caps=-all,+${capability}`,
  ];
  return { wrap: (program, args) => ({ command: 'setpriv', args: [...privileges, '--', program, ...args] }) };
}

/** Enters the folder and lets initdb look for its sister programs; null when both work, else what went wrong. */
function probe(launcher: Launcher, binaries: PostgresBinaries, folder: string): Promise<string | null> {
  const script = 'cd "$1" && exec "$2" --show --pgdata "$1"';
  const { command, args } = launcher.wrap('/bin/sh', ['-c', script, 'sh', folder, binaries.initdb]);
  const { uid, gid } = launcher;
  return new Promise((resolve) => {
    const done = (error: ExecFileException | null, _stdout: string, stderr: string): void => {
      resolve(error === null ? null : stderr.trim().split('\n')[0] || error.message);
    };
    execFile(command, args, { uid, gid, cwd: '/', timeout: 10_000, encoding: 'utf8' }, done);
  });
}
