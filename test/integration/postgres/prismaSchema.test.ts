import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { allProjections } from '../../../projections/all.ts';
import { PostgresStore } from '../../../projections/runner/postgresStore.ts';
import { projectRootUrl } from '../../../src/platform/embedded/projectRootUrl.ts';
import { type Database, openDatabase } from '../../../src/platform/postgres/database.ts';
import { createMigratedDatabase } from '../../support/projections/historyDatabase.ts';
import type { TestDatabase } from '../../support/servers/postgres.ts';

let testDatabase: TestDatabase;
let database: Database;

beforeAll(async () => {
  testDatabase = await createMigratedDatabase();
  database = openDatabase({ url: testDatabase.url, applicationName: 'test' });
  const log = { epoch: 'e1', logId: 'e1', previousEpoch: null, firstEvents: [] };
  for (const projection of allProjections(projectRootUrl())) {
    const store = new PostgresStore({ projection, pool: database.pool, worker: 'test' });
    await store.heartbeat(log, { state: 'starting', reason: null });
  }
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});

/** `relation.column`, of what the migrations and the projections made. */
async function columnsInPostgres(): Promise<string[]> {
  const sql = `SELECT table_name || '.' || column_name AS name FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name <> '_prisma_migrations'`;
  const { rows } = await database.pool.query<{ name: string }>(sql);
  return rows.map(({ name }) => name).sort();
}

/** `relation.column`, as schema.prisma describes them. */
function columnsInSchema(): string[] {
  const schema = readFileSync('prisma/schema.prisma', 'utf8');
  const models = [...schema.matchAll(/^model \w+ \{\n(.*?)^\}/gms)];
  return models
    .flatMap(([, body = '']) => {
      const relation = /@@map\("(\w+)"\)/.exec(body)?.[1];
      const fields = body.split('\n').filter((line) => /^ {2}\w/.test(line));
      return fields.map(
        (line) => `${relation}.${/@map\("(\w+)"\)/.exec(line)?.[1] ?? line.trim().split(' ')[0]}`,
      );
    })
    .sort();
}

test('the Prisma schema describes every table and view, and every column of them', async () => {
  const described = columnsInSchema();
  expect(described.length).toBeGreaterThan(50);
  expect(described).toEqual(await columnsInPostgres());
});

test('the Prisma client reads every one of them', async () => {
  const models = Object.entries(database.prisma).filter(
    ([, model]) => typeof model?.findFirst === 'function',
  );
  expect(models.length).toBeGreaterThan(10);
  for (const [, model] of models) await model.findFirst();
});
