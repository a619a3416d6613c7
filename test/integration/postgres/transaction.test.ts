import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inTransaction, rolledBack } from '../../../src/platform/postgres/transaction.ts';
import { createTestDatabase, type TestDatabase } from '../../support/servers/postgres.ts';

let database: TestDatabase;
let pool: pg.Pool;

beforeEach(async () => {
  database = await createTestDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 2 });
  await pool.query('CREATE TABLE written (n int PRIMARY KEY)');
});
afterEach(async () => {
  await pool.end();
  await database.drop();
});

const written = async () => (await pool.query('SELECT n FROM written ORDER BY n')).rows.map(({ n }) => n);

/** Writes a row, and sees it. */
const write = async (client: pg.ClientBase) => {
  await client.query('INSERT INTO written VALUES (1)');
  return (await client.query('SELECT n FROM written')).rowCount;
};

describe('a transaction', () => {
  it('that is rolled back returns what its work saw, and leaves nothing', async () => {
    expect(await rolledBack(pool, write)).toBe(1);
    expect(await written()).toEqual([]);
    expect(await inTransaction(pool, write)).toBe(1);
    expect(await written()).toEqual([1]);
  });

  it('that is rolled back throws what its work throws', async () => {
    await inTransaction(pool, write);
    await expect(rolledBack(pool, write)).rejects.toMatchObject({ code: '23505' });
    expect(await written()).toEqual([1]);
  });

  it('that is rolled back begins as it is asked to, and gives its connection back', async () => {
    const begin = 'BEGIN; SET LOCAL lock_timeout TO 123';
    const timeout = async (client: pg.ClientBase) => (await client.query('SHOW lock_timeout')).rows[0];
    for (let n = 0; n < 5; n++)
      expect(await rolledBack(pool, timeout, begin)).toEqual({ lock_timeout: '123ms' });
    expect(pool.totalCount).toBe(1);
  });
});
