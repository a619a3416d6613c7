import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { allProjections } from '../../../projections/all.ts';
import { BATCH_SAVEPOINT } from '../../../projections/runner/projection.ts';
import type { ChatEvent } from '../../../src/domain/conversation/events.ts';
import { projectRootUrl } from '../../../src/platform/embedded/projectRootUrl.ts';
import { migrate } from '../../../src/platform/postgres/migrations/migrate.ts';
import {
  batchSizes,
  CONVERSATIONS,
  historyOf,
  randomHistory,
  withoutEvents,
} from '../../support/projections/randomHistory.ts';
import { createTables, digestOf, groupOf, writeLog } from '../../support/projections/readModelTables.ts';
import { createTestDatabase, type TestDatabase } from '../../support/servers/postgres.ts';

let database: TestDatabase;
let pool: pg.Pool;
let client: pg.PoolClient;

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate({ url: database.url, directory: 'prisma/migrations' });
  pool = new pg.Pool({ connectionString: database.url, max: 2 });
  client = await pool.connect();
});
afterAll(async () => {
  client.release();
  await pool.end();
  await database.drop();
});

// History has tests of its own, and learns of erasure by itself.
const projections = allProjections(projectRootUrl()).filter(({ name }) => name !== 'history');

test('the conversations of the random histories are of several groups, and one group has several', () => {
  expect(new Set(CONVERSATIONS.map(groupOf)).size).toBe(3);
});

describe.each(projections)('the read model $name', (projection) => {
  async function build(log: readonly (ChatEvent | null)[], sizes: readonly number[]) {
    const schema = await createTables(client, projection);
    await writeLog(client, projection, schema, log, sizes);
    const digest = await digestOf(client, projection, schema);
    await client.query(`DROP SCHEMA ${schema} CASCADE`);
    return digest;
  }

  test('is the same however the log is cut into batches, and whatever was erased by the time it was read', async () => {
    const missing = fc.array(fc.boolean(), { minLength: 1, maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(
        randomHistory,
        batchSizes,
        batchSizes,
        missing,
        async (history, live, rebuilt, some) => {
          const grown = await build(history.events, live);
          const posted = history.events.some(({ type }) => type === 'MessagePosted');
          if (posted) expect(grown.size).toBeGreaterThan(0);
          expect(await build(withoutEvents(history, history.erased), rebuilt)).toEqual(grown);
          const gone = history.erased.filter((_, n) => some[n % some.length]);
          expect(await build(withoutEvents(history, gone), [1])).toEqual(grown);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('is written by one group while another has not committed yet', async () => {
    const { events } = historyOf(
      CONVERSATIONS.flatMap((_, c) => [
        ['post', c, 0, 0, 0],
        ['erase', c, 0, 0, 0],
      ]),
    );
    const schema = await createTables(client, projection);
    const other = await pool.connect();
    try {
      for (const [writer, group] of [
        [client, 0],
        [other, 1],
        [client, 2],
        [other, 3],
      ] as const) {
        const own = events
          .map((event, index) => ({ seq: index + 1, event }))
          .filter(({ event }) => groupOf(event.conversationId) === group);
        if (group < 2)
          await writer.query(`BEGIN; SET LOCAL lock_timeout TO 500; SAVEPOINT ${BATCH_SAVEPOINT}`);
        await projection.write(writer, schema, projection.project({ group, events: own, holes: [1_000] }));
      }
    } finally {
      await client.query('COMMIT');
      await other.query('COMMIT');
      other.release();
    }
    const digest = await digestOf(client, projection, schema);
    expect([...digest.keys()]).toEqual(expect.arrayContaining([...CONVERSATIONS]));
  });
});
