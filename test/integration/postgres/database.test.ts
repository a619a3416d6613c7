import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ChatError } from '../../../src/contracts/errors.ts';
import type { BreakerState } from '../../../src/platform/postgres/breaker.ts';
import { openDatabase } from '../../../src/platform/postgres/database.ts';
import { GuardedPool } from '../../../src/platform/postgres/guardedPool.ts';
import type { QueryDone } from '../../../src/platform/postgres/pool.ts';
import { inTransaction } from '../../../src/platform/postgres/transaction.ts';
import { query, startTestPostgres } from '../../support/servers/postgres.ts';
import type { TestServer } from '../../support/servers/testServer.ts';
import { waitFor } from '../../support/time/waitFor.ts';

let postgres: TestServer;
const stops: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.stop());
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

function open(parameters = '', options: { statementMsMax?: number } = {}) {
  const queries: QueryDone[] = [];
  const states: BreakerState[] = [];
  const database = openDatabase({
    url: `${postgres.url}${parameters}`,
    applicationName: 'the test',
    onQuery: (done) => queries.push(done),
    onBreaker: (state) => states.push(state),
    ...options,
  });
  stops.push(() => database.close());
  return { database, queries, states };
}

const running = async () => {
  const sql =
    "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'the test' AND state = 'active'";
  return Number((await query(postgres.url, sql))[0]?.n);
};
const connections = async () => {
  const sql = "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'the test'";
  return Number((await query(postgres.url, sql))[0]?.n);
};

describe('a question', () => {
  it('that takes too long is cancelled in Postgres itself, not only given up here', async () => {
    const { database } = open('', { statementMsMax: 200 });
    const asked = database.ask('sleep', (prisma) => prisma.$queryRaw`SELECT pg_sleep(60)::text`);
    await expect(asked).rejects.toMatchObject({ code: 'database_unavailable' });
    // Otherwise it would go on for a minute: waiting must end before that.
    await waitFor('it to be cancelled', async () => (await running()) === 0, { timeoutMs: 40_000 });
  });

  it('is told of with its name, how long it took, and whether it was answered', async () => {
    const { database, queries } = open();
    await database.ask('listConversations', (prisma) => prisma.$queryRaw`SELECT 1`);
    await database.ask('searchMessages', (prisma) => prisma.$queryRaw`SELECT nonsense`).catch(() => {});
    expect(queries).toEqual([
      { operation: 'listConversations', outcome: 'answered', durationMs: expect.any(Number) },
      { operation: 'searchMessages', outcome: 'failed', durationMs: expect.any(Number) },
    ]);
  });

  it('waits for one of connection_limit connections, and no longer than pool_timeout', async () => {
    const { database } = open('?connection_limit=2&pool_timeout=3', { statementMsMax: 40_000 });
    // Two hold the connections until this lock is let go: after the third has been refused.
    const other = new pg.Client({ connectionString: postgres.url });
    await other.connect();
    await other.query('SELECT pg_advisory_lock(1)');
    const hold = () =>
      database.ask('hold', (prisma) => prisma.$queryRaw`SELECT pg_advisory_xact_lock(1)::text`);
    const asked = [hold(), hold(), hold()];
    const refused = Promise.all(asked).catch((error: unknown) => error);
    await waitFor('both connections to be used', async () => (await running()) === 2);
    expect(await connections()).toBe(2);
    expect(await refused).toMatchObject({ code: 'database_unavailable' });
    await other.query('SELECT pg_advisory_unlock(1)');
    await other.end();
    const outcomes = (await Promise.allSettled(asked)).map(({ status }) => status).sort();
    expect(outcomes).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  });
});

describe('what comes of one statement', () => {
  const raised = (code: string) => `DO $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '${code}'; END $$`;
  const SERVERS_OWN = ['53200', '57014', '57P03', '58030', 'XX001'];

  it.each(['0A000', '22003', '22021', '23505', '42601', '54000', '54001', 'XX000'])(
    'and says that it is wrong (%s) stays an Error',
    async (code) => {
      const { database } = open();
      const asked = database.ask('wrong', (prisma) => prisma.$executeRawUnsafe(raised(code)));
      const error = await asked.catch((cause: unknown) => cause);
      expect([error instanceof Error, error instanceof ChatError]).toEqual([true, false]);
    },
  );

  it.each(['0A000', '22003', '23505', '3F000', '40P01', '42P01', '42501', '54000', '55P03', 'XX000'])(
    '(%s) is nothing that the breaker counts',
    async (code) => {
      const { database } = open();
      const ask = () => database.ask('one', (prisma) => prisma.$executeRawUnsafe(raised(code)));
      for (let n = 0; n < 10; n++) await expect(ask()).rejects.toThrow();
      expect([database.failures, database.breaker]).toEqual([0, 'closed']);
    },
  );

  it.each(SERVERS_OWN)('but speaks of the server (%s) is', async (code) => {
    const { database } = open();
    const ask = () => database.ask('one', (prisma) => prisma.$executeRawUnsafe(raised(code)));
    await expect(ask()).rejects.toMatchObject({ code: 'database_unavailable' });
    expect(database.failures).toBe(1);
  });

  it('names a table that is not there yet, and is answered as not available', async () => {
    const { database } = open();
    for (let n = 0; n < 10; n++) {
      const asked = database.ask('missing', (prisma) => prisma.$queryRaw`SELECT * FROM nowhere`);
      await expect(asked).rejects.toMatchObject({ code: 'database_unavailable' });
    }
    expect([database.failures, database.breaker]).toEqual([0, 'closed']);
  });
});

describe('a database that is away', () => {
  it('is refused at once after a few tries, and found again though nobody asks', async () => {
    const { database, states, queries } = open();
    const ask = () => database.ask('one', (prisma) => prisma.$queryRaw`SELECT 1 AS one`);
    await ask();
    await postgres.kill9();
    for (let n = 0; n < 6; n++) await expect(ask()).rejects.toMatchObject({ code: 'database_unavailable' });
    await waitFor('the breaker to open', () => states.includes('open'));
    const tried = queries.length;
    await expect(ask()).rejects.toMatchObject({ retryAfterMs: expect.any(Number) });
    expect(queries).toHaveLength(tried);
    await postgres.restart();
    await waitFor('the breaker to close by itself', () => database.breaker === 'closed');
    expect(await ask()).toEqual([{ one: 1 }]);
  });

  it('does not keep a probe for ever that it never answers', async () => {
    const { database, states } = open();
    postgres.freeze();
    const ask = () => database.ask('one', (prisma) => prisma.$queryRaw`SELECT 1 AS one`).catch(() => null);
    const opened = () => {
      void ask();
      return states.includes('open');
    };
    await waitFor('the breaker to open', opened, { everyMs: 100 });
    await waitFor('a second probe', () => states.filter((state) => state === 'halfOpen').length >= 2);
    postgres.thaw();
    await waitFor('the breaker to close by itself', () => database.breaker === 'closed');
    expect(await ask()).toEqual([{ one: 1 }]);
  });
});

describe('the pool of those who write', () => {
  function openGuarded() {
    const states: BreakerState[] = [];
    const pool = new GuardedPool({
      operation: 'test',
      url: postgres.url,
      applicationName: 'the test',
      onBreaker: (state) => states.push(state),
    });
    stops.push(() => pool.close());
    return { pool, states };
  }

  it('has a breaker of its own, for transactions and single statements alike', async () => {
    const { pool, states } = openGuarded();
    const { database } = open();
    await pool.query('SELECT 1');
    await postgres.kill9();
    const work = () => inTransaction(pool, (client) => client.query('SELECT 1'));
    for (let n = 0; n < 3; n++) {
      await expect(work()).rejects.toMatchObject({ code: 'database_unavailable' });
      await expect(pool.query('SELECT 1')).rejects.toMatchObject({ code: 'database_unavailable' });
    }
    await waitFor('the breaker to open', () => states.includes('open'));
    expect(database.breaker).toBe('closed');
    await postgres.restart();
    await waitFor('the breaker to close by itself', () => pool.breaker === 'closed');
    expect((await work()).rowCount).toBe(1);
  });

  it('does not take wrong statements and data for troubles of the database', async () => {
    const { pool } = openGuarded();
    for (let n = 0; n < 20; n++) {
      await expect(pool.query('SELECT 1/0')).rejects.toMatchObject({ code: '22012' });
      const failing = inTransaction(pool, () => Promise.reject(new Error('poison')));
      await expect(failing).rejects.toThrow('poison');
    }
    expect(pool.breaker).toBe('closed');
  });
});
