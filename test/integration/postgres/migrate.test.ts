import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrate } from '../../../src/platform/postgres/migrations/migrate.ts';
import { migrationsDirectory } from '../../support/projections/historyDatabase.ts';
import { makeTempFolder } from '../../support/run/testRun.ts';
import { createTestDatabase, query, type TestDatabase } from '../../support/servers/postgres.ts';

let database: TestDatabase;
let directory: string;
beforeEach(async () => {
  database = await createTestDatabase();
  directory = makeTempFolder('migrations');
  write('1_first', 'CREATE TABLE one (id int); CREATE TABLE two (id int);');
});
afterEach(async () => {
  rmSync(directory, { recursive: true });
  await database.drop();
});

function write(name: string, sql: string): void {
  mkdirSync(join(directory, name), { recursive: true });
  writeFileSync(join(directory, name, 'migration.sql'), sql);
}

function run(options: { lockMsMax?: number } = {}): Promise<string[]> {
  return migrate({ url: database.url, directory, ...options });
}

function rows(): Promise<Record<string, unknown>[]> {
  return query(database.url, 'SELECT * FROM _prisma_migrations ORDER BY started_at');
}

async function tables(): Promise<string> {
  const sql =
    "SELECT string_agg(tablename, ' ' ORDER BY tablename) AS names FROM pg_tables WHERE schemaname = 'public'";
  return String((await query(database.url, sql))[0]?.names);
}

describe('migrating', () => {
  it('applies what is missing in order and notes it as Prisma does', async () => {
    expect(await run()).toEqual(['1_first']);
    write('2_second', 'ALTER TABLE one ADD COLUMN name text;');
    expect(await run()).toEqual(['2_second']);
    expect(await run()).toEqual([]);
    const [first, second] = await rows();
    expect(first).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      checksum: createHash('sha256')
        .update(readFileSync(join(directory, '1_first/migration.sql')))
        .digest('hex'),
      finished_at: expect.any(Date),
      migration_name: '1_first',
      logs: null,
      rolled_back_at: null,
      started_at: expect.any(Date),
      applied_steps_count: 1,
    });
    expect(second).toMatchObject({ migration_name: '2_second', applied_steps_count: 1 });
  });

  it("applies the project's own migrations", async () => {
    const applied = await migrate({ url: database.url, directory: migrationsDirectory });
    expect(applied.length).toBeGreaterThan(0);
    expect(await tables()).toContain('projection_checkpoints');
  });

  it('is done once when several processes start together', async () => {
    const all = await Promise.all(Array.from({ length: 5 }, () => run()));
    expect(all.flat()).toEqual(['1_first']);
    expect(await rows()).toHaveLength(1);
  });

  it('leaves nothing of a migration that fails, and succeeds once it is mended', async () => {
    write('2_second', 'CREATE TABLE three (id int); SELECT nonsense;');
    await expect(run()).rejects.toThrow(
      /2_second failed on .* and was undone: column "nonsense" does not exist\. Put right .* start again/,
    );
    expect(await tables()).toBe('_prisma_migrations one two');
    write('2_second', 'CREATE TABLE three (id int);');
    expect(await run()).toEqual(['2_second']);
  });
});

describe('refusing to migrate', () => {
  it('when an applied migration has changed', async () => {
    await run();
    write('1_first', 'CREATE TABLE one (id bigint);');
    await expect(run()).rejects.toThrow(/1_first has changed since it was applied/);
  });

  it('when the database has a migration that is unknown here', async () => {
    write('2_newer', 'SELECT 1;');
    await run();
    rmSync(join(directory, '2_newer'), { recursive: true });
    await expect(run()).rejects.toThrow(/unknown here: 2_newer\. It was migrated by a newer version/);
  });

  it('when one was begun and never finished, unless it was resolved as rolled back', async () => {
    await run();
    await query(database.url, 'UPDATE _prisma_migrations SET finished_at = NULL');
    await expect(run()).rejects.toThrow(/1_first was begun on .* and never finished/);
    await query(database.url, 'DROP TABLE one, two');
    await query(database.url, 'UPDATE _prisma_migrations SET rolled_back_at = now()');
    expect(await run()).toEqual(['1_first']);
  });

  it('when another process migrates for too long', async () => {
    const other = new pg.Client({ connectionString: database.url });
    await other.connect();
    await other.query('SELECT pg_advisory_lock(72707369)');
    await expect(run({ lockMsMax: 100 })).rejects.toThrow(/Another process has been migrating .* for 100 ms/);
    await other.end();
    expect(await run()).toEqual(['1_first']);
  });

  it('when Postgres does not answer, saying where and what to set, without the password', async () => {
    const url = 'postgresql://chat:secret@127.0.0.1:1/none';
    const refused = migrate({ url, directory });
    await expect(refused).rejects.toThrow(/127\.0\.0\.1:1\/none .*ECONNREFUSED.*set DATABASE_URL/);
    await expect(refused).rejects.not.toThrow(/secret/);
  });

  it('when there are no migrations where they should be', async () => {
    await expect(migrate({ url: database.url, directory: join(directory, 'none') })).rejects.toThrow(
      /whole copy/,
    );
  });
});
