import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, startTestApi, type TestApi } from '../../support/http/httpApi.ts';
import { createMigratedDatabase, projectAll } from '../../support/projections/historyDatabase.ts';
import { query, type TestDatabase } from '../../support/servers/postgres.ts';
import { waitFor } from '../../support/time/waitFor.ts';

/** More than there are connections, and more than may be searched and wait together. */
const SEARCHES = 150;

let database: TestDatabase;
let api: TestApi;
let conversation: string;
let holder: pg.Client;

beforeAll(async () => {
  database = await createMigratedDatabase();
  api = await startTestApi({ databaseUrl: `${database.url}?connection_limit=4&pool_timeout=2` });
  const made = { userId: 'alice', visibility: 'open' };
  conversation = (await api.call('POST', '/api/chat/conversations', made)).body.conversation.id;
  const message = { conversationId: conversation, userId: 'alice', content: 'hello' };
  await api.call('POST', '/api/chat/messages', message);
  await projectAll(api);
});
afterAll(async () => {
  await api.stop();
  await database.drop();
});
beforeEach(async () => {
  holder = new pg.Client({ connectionString: database.url });
  await holder.connect();
});

const search = () => api.call('GET', '/api/chat/search?userId=alice&q=hello');
const history = () => api.call('GET', `/api/chat/conversations/${conversation}/messages?userId=alice`);
const list = () => api.call('GET', '/api/chat/conversations?userId=alice');
const stuck = async () => {
  const sql = `SELECT count(*)::int AS n FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  return Number((await query(database.url, sql))[0]?.n);
};

/** Nobody reads the words meanwhile. */
async function whileSearchesAreStuck<T>(work: () => Promise<T>): Promise<T> {
  await holder.query('BEGIN; LOCK TABLE search_documents IN ACCESS EXCLUSIVE MODE');
  try {
    return await work();
  } finally {
    await holder.query('ROLLBACK');
    await holder.end();
  }
}

function expectOverloaded(answers: readonly Answer[]): void {
  for (const { status, body, headers } of answers) {
    expect([status, body.code, body.retryable]).toEqual([503, 'overloaded', true]);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  }
}

describe('searches that are stuck', () => {
  it('leave the other reads their connections, are refused in bounded time and are no fault of the database', async () => {
    const { others, refused } = await whileSearchesAreStuck(async () => {
      const searches = Array.from({ length: SEARCHES }, search);
      await waitFor('a search to be stuck', async () => {
        // On a machine that is busy those from before may have been refused by now.
        searches.push(search());
        return (await stuck()) > 0;
      });
      const others = await Promise.all(Array.from({ length: 10 }, () => [history(), list()]).flat());
      expect(await stuck()).toBeLessThan(4);
      return { others, refused: await Promise.all(searches) };
    });
    expect(others.map(({ status }) => status)).toEqual(others.map(() => 200));
    expect(new Set(others.map(({ body }) => body.source ?? 'database'))).toEqual(new Set(['database']));
    expectOverloaded(refused);
    expect([api.database.failures, api.database.breaker]).toEqual([0, 'closed']);
    expect((await search()).body.messages).toHaveLength(1);
  });
});
