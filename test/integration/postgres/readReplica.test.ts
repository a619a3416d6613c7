import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { PARTITION_GROUPS } from '../../../src/contracts/events/subjects.ts';
import { type Database, openDatabase } from '../../../src/platform/postgres/database.ts';
import { migrate } from '../../../src/platform/postgres/migrations/migrate.ts';
import { ReplicaReads } from '../../../src/platform/postgres/replicaReads.ts';
import { systemTimers } from '../../../src/platform/time/timers.ts';
import { historyLagSeconds } from '../../../src/queries/historyLag.ts';
import { startTestApi, type TestApi } from '../../support/http/httpApi.ts';
import { migrationsDirectory, projectAll } from '../../support/projections/historyDatabase.ts';
import { query, startTestPostgres } from '../../support/servers/postgres.ts';
import { startStandby } from '../../support/servers/standby.ts';
import type { TestServer } from '../../support/servers/testServer.ts';
import { waitFor } from '../../support/time/waitFor.ts';

const LAG_SECONDS_MAX = 1;
let primary: TestServer;
let standby: TestServer;
let api: TestApi;
let replica: Database;
let reads: ReplicaReads;
let conversationId: string;
let onReplica: string[];

beforeAll(async () => {
  primary = await startTestPostgres();
  await migrate({ url: primary.url, directory: migrationsDirectory });
  standby = await startStandby(primary);
});
afterAll(async () => {
  await standby.stop();
  await primary.stop();
});

beforeEach(async () => {
  onReplica = [];
  replica = openDatabase({
    url: standby.url,
    applicationName: 'test replica',
    onQuery: ({ operation, outcome }) => onReplica.push(`${operation} ${outcome}`),
  });
  api = await startTestApi({
    databaseUrl: primary.url,
    reads: (database, logHead) => {
      reads = new ReplicaReads({
        primary: database,
        replica,
        lagSeconds: () => historyLagSeconds(replica, logHead, Date.now()),
        lagSecondsMax: LAG_SECONDS_MAX,
        timers: systemTimers,
        checkMs: 50,
      });
      return reads;
    },
  });
  const body = { userId: 'alice' };
  conversationId = (await api.call('POST', '/api/chat/conversations', body)).body.conversation.id;
  await project();
  await waitFor('the replica to be usable', () => reads.state === 'usable');
});
afterEach(async () => {
  await replay('resume').catch(() => {});
  reads.stop();
  await api.stop();
  await replica.close();
  for (const schema of ['history', 'inbox', 'search', 'activity']) {
    await query(primary.url, `DROP SCHEMA IF EXISTS ${schema}_v1 CASCADE`);
  }
  await query(primary.url, 'DELETE FROM projection_versions');
});

/** The read models catch up with the log, and everybody is told. */
async function project(): Promise<void> {
  const seq = await projectAll(api);
  await api.logHead.ask();
  for (let group = 0; group < PARTITION_GROUPS; group++) api.progress.announce({ group, seq, parked: [] });
}

const replay = (what: 'pause' | 'resume') => query(standby.url, `SELECT pg_wal_replay_${what}()`);

async function say(content: string): Promise<{ position: string }> {
  const message = { conversationId, userId: 'alice', content };
  return (await api.call('POST', '/api/chat/messages', message)).body;
}

async function history(more = ''): Promise<string[]> {
  const path = `/api/chat/conversations/${conversationId}/messages?userId=alice${more}`;
  const { status, body } = await api.call('GET', path);
  expect([status, body.source]).toEqual([200, 'database']);
  return body.messages.map(({ content }: { content: string }) => content);
}

it('answers history and search, and nothing else', async () => {
  await say('hello');
  await project();
  await waitFor('the message to be replayed', async () => (await history()).includes('hello'));
  expect(onReplica).toContain('readMessages answered');
  await waitFor('the search', async () => {
    const found = await api.call('GET', '/api/chat/search?userId=alice&q=hello');
    return found.body.messages.length === 1;
  });
  expect(onReplica).toContain('searchMessages answered');
  expect((await api.call('GET', '/api/chat/conversations?userId=alice')).body.conversations).toHaveLength(1);
  expect(onReplica.join()).not.toContain('listConversations');
});

it('is not asked while it is too far behind, and is again when it has caught up', async () => {
  await replay('pause');
  await say('not replayed');
  await project();
  await waitFor('it to be found too far behind', () => reads.state === 'behind');
  const before = onReplica.filter((what) => what.startsWith('readMessages')).length;
  expect(await history()).toEqual(['not replayed']);
  expect(onReplica.filter((what) => what.startsWith('readMessages'))).toHaveLength(before);
  await replay('resume');
  await waitFor('it to be usable', () => reads.state === 'usable');
  expect(await history()).toEqual(['not replayed']);
  expect(onReplica.filter((what) => what.startsWith('readMessages'))).toHaveLength(before + 1);
});

it('does not hide from anybody what they wrote themselves', async () => {
  await replay('pause');
  const { position } = await say('my own words');
  await project();
  expect(await history(`&position=${position}`)).toEqual(['my own words']);
});

it('may be lost and come back without a single failed read', async () => {
  await say('hello');
  await project();
  await waitFor('the message to be replayed', async () => (await history()).includes('hello'));
  await standby.kill9();
  for (let n = 0; n < 20; n++) expect(await history()).toEqual(['hello']);
  await waitFor('it to be found away', () => reads.state === 'away');
  expect(await history()).toEqual(['hello']);
  await standby.restart();
  await waitFor('it to be usable', () => reads.state === 'usable');
  expect(await history()).toEqual(['hello']);
});
