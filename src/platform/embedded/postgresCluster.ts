import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { flushFolder, writeDurably } from '../files/durableFile.ts';
import type { PostgresBinaries } from './postgresBinaries.ts';
import {
  PostgresFolderForeignError,
  PostgresInitError,
  PostgresPasswordLostError,
} from './postgresErrors.ts';
import { type Launcher, postgresLauncher } from './postgresLauncher.ts';
import { postgresUser, type SystemUser } from './postgresUser.ts';

const run = promisify(execFile);

/** The role that owns the embedded database. */
export const postgresRole = 'chat';

export interface PostgresCluster {
  readonly folder: string;
  readonly password: string;
  readonly launcher: Launcher;
}

/** Where the cluster's files are below the data folder. */
export function clusterFolder(dataDir: string): string {
  return join(dataDir, 'postgres');
}

export function passwordFile(dataDir: string): string {
  return join(dataDir, 'postgres.password');
}

/**
 * Makes the data folder's cluster if there is none yet. It is made beside its place and then renamed, so that a kill
 * half-way leaves no half cluster behind.
 *
 * @throws PostgresInitError, PostgresFolderForeignError, PostgresUserError, PostgresFolderUnreachableError,
 *   PostgresPasswordLostError
 */
export async function ensureCluster(dataDir: string, binaries: PostgresBinaries): Promise<PostgresCluster> {
  const user = await postgresUser();
  const folder = clusterFolder(dataDir);
  const kept = readPassword(passwordFile(dataDir));
  if (isEmpty(folder)) {
    const password = kept ?? newPassword();
    if (kept === null) keepPassword(dataDir, password);
    const launcher = await initialise(dataDir, binaries, user, password);
    return { folder, password, launcher };
  }
  await assertSameMajor(folder, binaries);
  const launcher = await postgresLauncher(user, binaries, folder);
  return { folder, launcher, password: kept ?? (await renewPassword(dataDir, binaries, launcher)) };
}

async function initialise(
  dataDir: string,
  binaries: PostgresBinaries,
  user: SystemUser | null,
  password: string,
): Promise<Launcher> {
  const workshop = join(dataDir, 'postgres.init');
  rmSync(workshop, { recursive: true, force: true });
  mkdirSync(workshop, { mode: 0o700 });
  const secret = join(workshop, 'password');
  writeFileSync(secret, `${password}\n`, { mode: 0o600 });
  if (user !== null) for (const path of [workshop, secret]) chownSync(path, user.uid, user.gid);
  const launcher = await postgresLauncher(user, binaries, workshop);
  await runInitdb(launcher, binaries, join(workshop, 'cluster'), secret);
  rmSync(clusterFolder(dataDir), { recursive: true, force: true });
  renameSync(join(workshop, 'cluster'), clusterFolder(dataDir));
  flushFolder(dataDir);
  rmSync(workshop, { recursive: true, force: true });
  return launcher;
}

async function runInitdb(
  launcher: Launcher,
  binaries: PostgresBinaries,
  folder: string,
  secret: string,
): Promise<void> {
  // PostgreSQL's own C.UTF-8 knows the letters of all languages and sorts the same on every operating system.
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const access = [`--username=${postgresRole}`, '--auth=scram-sha-256', `--pwfile=${secret}`];
  const { command, args } = launcher.wrap(binaries.initdb, [`--pgdata=${folder}`, ...access, ...locale]);
  const { uid, gid } = launcher;
  await run(command, args, { uid, gid, cwd: '/', timeout: 120_000 }).catch((error: unknown) => {
    const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
    throw new PostgresInitError(folder, stderr.trim() || String(error));
  });
}

function isEmpty(folder: string): boolean {
  return !existsSync(folder) || readdirSync(folder).length === 0;
}

/** A cluster cannot be opened by another major version, and PostgreSQL says so only in its log. */
async function assertSameMajor(folder: string, binaries: PostgresBinaries): Promise<void> {
  const versionFile = join(folder, 'PG_VERSION');
  const found = existsSync(versionFile) ? readFileSync(versionFile, 'utf8').trim() : 'no PostgreSQL cluster';
  const { stdout } = await run(binaries.postgres, ['--version']);
  const wanted = /(\d+)/.exec(stdout)?.[1] ?? stdout;
  if (found !== wanted)
    throw new PostgresFolderForeignError(folder, `version "${found}"`, `version ${wanted}`);
}

/** As {@link keepPassword} writes it. What is shorter, empty or full of zeros was damaged, by a power cut for instance. */
const PASSWORD = /^[A-Za-z0-9_-]{32}\n$/;

/** @returns null when the file is missing or damaged */
function readPassword(file: string): string | null {
  try {
    const content = readFileSync(file, 'utf8');
    return PASSWORD.test(content) ? content.trim() : null;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

const newPassword = () => randomBytes(24).toString('base64url');

function keepPassword(dataDir: string, password: string): void {
  writeDurably(passwordFile(dataDir), `${password}\n`);
}

/**
 * Gives the cluster's role a new password, because nobody knows the old one any more. The folder is ours, so this takes
 * nothing from anybody; no server runs on it, so PostgreSQL runs by itself, on one statement. The file comes last: a kill
 * before it leaves a missing password, which is renewed again.
 * Source: PostgreSQL manual, reference page "postgres", single-user mode.
 *
 * @throws PostgresPasswordLostError
 */
async function renewPassword(
  dataDir: string,
  binaries: PostgresBinaries,
  launcher: Launcher,
): Promise<string> {
  const password = newPassword();
  const { command, args } = launcher.wrap(binaries.postgres, [
    '--single',
    '-D',
    clusterFolder(dataDir),
    'postgres',
  ]);
  const { uid, gid } = launcher;
  const single = run(command, args, { uid, gid, cwd: '/', timeout: SINGLE_USER_MS_MAX });
  single.child.stdin?.end(`ALTER ROLE ${postgresRole} PASSWORD '${password}'\n`);
  const complaint = await single.then(
    ({ stderr }) => /\b(?:ERROR|FATAL|PANIC): .*/.exec(stderr)?.[0],
    (error: unknown) => String(error),
  );
  if (complaint !== undefined) throw new PostgresPasswordLostError(passwordFile(dataDir), complaint);
  keepPassword(dataDir, password);
  return password;
}

/** Crash recovery may come first. */
const SINGLE_USER_MS_MAX = 300_000;
