import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { startEmbeddedPostgres } from '../../../src/platform/embedded/postgresServer.ts';
import { makeTempFolder } from '../run/testRun.ts';
import { waitFor } from '../time/waitFor.ts';
import { startTestServer, type TestServer } from './testServer.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of the PostgreSQL that all tests of the run share. */
    testPostgresUrl: string;
  }
}

export interface TestDatabase {
  readonly url: string;
  /** Removes the database. @throws when the test left a connection open. */
  drop(): Promise<void>;
}

/** Databases of this name are counted at the end of the run. */
export const testDatabasePrefix = 'test_';

/** Nothing here outlives the run, so nothing needs to reach the disk. */
const settingsFast = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  shared_buffers: '64MB',
};

/** A fresh database on the run's shared PostgreSQL; takes some 50 ms. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const shared = inject('testPostgresUrl');
  const name = `${testDatabasePrefix}${randomBytes(8).toString('hex')}`;
  await query(shared, `CREATE DATABASE ${name}`);
  const url = new URL(shared);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => drop(shared, name) };
}

async function drop(shared: string, name: string): Promise<void> {
  const open = async (): Promise<number> => {
    const count =
      'SELECT count(*)::int AS open FROM pg_stat_activity WHERE datname = $1 AND backend_type = $2';
    return Number((await query(shared, count, [name, 'client backend']))[0]?.open);
  };
  const closed = waitFor('the test to close its connections', async () => (await open()) === 0, {
    timeoutMs: 30_000,
  });
  await closed.finally(() => query(shared, `DROP DATABASE ${name} WITH (FORCE)`));
}

/** A PostgreSQL of the test's own, to be killed or stopped; takes some 2 s. The test stops it. */
export function startTestPostgres(settings: Readonly<Record<string, string>> = {}): Promise<TestServer> {
  return startTestServer(makeTempFolder('postgres'), (dataDir, port) =>
    startEmbeddedPostgres({ dataDir, port, settings }),
  );
}

/** The one that the tests of a run share. */
export function startSharedPostgres(): Promise<TestServer> {
  return startTestPostgres({ ...settingsFast, max_connections: '300' });
}

/** One statement on a connection of its own. */
export async function query(
  url: string,
  sql: string,
  values: unknown[] = [],
): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql, values)).rows;
  } finally {
    await client.end();
  }
}
