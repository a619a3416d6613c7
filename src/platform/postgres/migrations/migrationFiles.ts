import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Migration {
  /** Its folder's name: a time and a word, so that names sort in the order of application. */
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the file, hexadecimal, as `prisma migrate` computes it. */
  readonly checksum: string;
}

/** The migrations of a folder, in order. @throws Error when there are none: the folder is the wrong one */
export async function readMigrations(directory: string): Promise<Migration[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((cause: unknown) => {
    throw new Error(`The migrations cannot be read from ${directory}: is this a whole copy of the project?`, {
      cause,
    });
  });
  const names = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  if (names.length === 0) throw new Error(`There are no migrations in ${directory}`);
  return Promise.all(names.map((name) => readMigration(directory, name)));
}

async function readMigration(directory: string, name: string): Promise<Migration> {
  const bytes = await readFile(join(directory, name, 'migration.sql'));
  return { name, sql: bytes.toString('utf8'), checksum: createHash('sha256').update(bytes).digest('hex') };
}
