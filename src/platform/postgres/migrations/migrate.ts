import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { parseDatabaseUrl } from '../databaseUrl.ts';
import { type Migration, readMigrations } from './migrationFiles.ts';
import { type AppliedRow, CREATE_TABLE, INSERT_APPLIED, SELECT_APPLIED } from './migrationsTable.ts';

/**
 * Brings the database's schema up to date with `prisma/migrations`, without Prisma's migration engine, which cannot
 * be downloaded everywhere. Keeps `_prisma_migrations` as the engine does, so that `prisma migrate deploy` agrees.
 *
 * Any number of processes may start together: an advisory lock, the engine's own, lets one migrate, and the others
 * then find nothing to do. Each migration is one transaction with its row, so none is ever half applied by this.
 */
export interface MigrateOptions {
  readonly url: string;
  /** The folder with one folder per migration. */
  readonly directory: string;
  /** How long to wait for another process that migrates, in milliseconds. Default 60,000. */
  readonly lockMsMax?: number;
  /** Takes the name of each migration before it is applied. */
  readonly onApply?: (name: string) => void;
}

/** The schema cannot be brought up to date; the message says why and what to do. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

/** The key that Prisma's migration engine locks: the two must not run at the same time either. */
const LOCK_KEY = 72_707_369;
const CONNECT_MS_MAX = 5_000;

/**
 * Applies what is missing.
 *
 * @returns the names of the migrations that were applied now
 * @throws MigrationError when Postgres does not answer, another process migrates for too long, the database does not
 *   fit this version of the project, or a migration fails (of which then nothing stays)
 */
export async function migrate(options: MigrateOptions): Promise<string[]> {
  const migrations = await readMigrations(options.directory);
  const { connectionString, where } = parseDatabaseUrl(options.url);
  const client = new pg.Client({
    connectionString,
    application_name: 'chat-backend migrate',
    connectionTimeoutMillis: CONNECT_MS_MAX,
    keepAlive: true,
  });
  // The query under way fails with the connection; without a listener the process would end first.
  client.on('error', () => {});
  try {
    await connect(client, where);
    await lock(client, where, options.lockMsMax ?? 60_000);
    return await applyMissing(client, where, migrations, options.onApply ?? (() => {}));
  } finally {
    // Ends the session, and with it the lock.
    await client.end().catch(() => {});
  }
}

async function connect(client: pg.Client, where: string): Promise<void> {
  try {
    await client.connect();
  } catch (cause) {
    const hint = 'Start Postgres there or set DATABASE_URL.';
    throw new MigrationError(`Postgres cannot be used at ${where} (${reason(cause)}). ${hint}`, { cause });
  }
}

async function lock(client: pg.Client, where: string, lockMsMax: number): Promise<void> {
  try {
    await client.query(`SET lock_timeout = ${Math.ceil(lockMsMax)}`);
    await client.query('SELECT pg_advisory_lock($1)', [LOCK_KEY]);
    await client.query('SET lock_timeout = 0');
  } catch (cause) {
    const message = `Another process has been migrating ${where} for ${lockMsMax} ms (${reason(cause)}).`;
    throw new MigrationError(`${message} See pg_stat_activity for who, end it, and start again.`, { cause });
  }
}

async function applyMissing(
  client: pg.Client,
  where: string,
  migrations: readonly Migration[],
  onApply: (name: string) => void,
): Promise<string[]> {
  await client.query(CREATE_TABLE);
  const { rows } = await client.query<AppliedRow>(SELECT_APPLIED);
  for (const row of rows) check(row, migrations, where);
  const applied = new Set(rows.map((row) => row.migration_name));
  const missing = migrations.filter(({ name }) => !applied.has(name));
  for (const migration of missing) {
    onApply(migration.name);
    await apply(client, where, migration);
  }
  return missing.map(({ name }) => name);
}

function check(row: AppliedRow, migrations: readonly Migration[], where: string): void {
  const name = row.migration_name;
  const migration = migrations.find((candidate) => candidate.name === name);
  if (migration === undefined) {
    const hint = 'It was migrated by a newer version of chat-backend: run that one, or restore a backup.';
    throw new MigrationError(`${where} has a migration that is unknown here: ${name}. ${hint}`);
  }
  if (row.finished_at === null) {
    const hint = 'Check what it left, then use "prisma migrate resolve".';
    throw new MigrationError(`Migration ${name} was begun on ${where} and never finished. ${hint}`);
  }
  if (row.checksum !== migration.checksum) {
    const hint = 'Restore the file as it was: changes belong into a new migration.';
    throw new MigrationError(`Migration ${name} has changed since it was applied to ${where}. ${hint}`);
  }
}

async function apply(client: pg.Client, where: string, migration: Migration): Promise<void> {
  const { name, sql, checksum } = migration;
  try {
    await client.query('BEGIN');
    await client.query(sql);
    await client.query(INSERT_APPLIED, [randomUUID(), checksum, name]);
    await client.query('COMMIT');
  } catch (cause) {
    await client.query('ROLLBACK').catch(() => {});
    const hint = 'Put right what it names and start again; until then the version before can go on.';
    throw new MigrationError(
      `Migration ${name} failed on ${where} and was undone: ${reason(cause)}. ${hint}`,
      { cause },
    );
  }
}

function reason(error: unknown): string {
  // Node's error for a name with several addresses, all of them refusing, has a code but no message.
  if (error instanceof AggregateError && error.errors.length > 0) return reason(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
