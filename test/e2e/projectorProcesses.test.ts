import { rmSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { allProjections } from '../../projections/all.ts';
import { createConversation } from '../../src/application/commands/createConversation.ts';
import { postMessage } from '../../src/application/commands/postMessage.ts';
import { groupOf, PARTITION_GROUPS } from '../../src/contracts/events/subjects.ts';
import { verify } from '../../src/maintenance/audit/verify.ts';
import { projectRootUrl } from '../../src/platform/embedded/projectRootUrl.ts';
import { applicationOn } from '../support/application/application.ts';
import { type OpenedLog, openTestLog } from '../support/eventlog/jetStreamLog.ts';
import { makeTempFolder } from '../support/run/testRun.ts';
import { startTestNats } from '../support/servers/nats.ts';
import { createTestDatabase, type TestDatabase } from '../support/servers/postgres.ts';
import { launchRole, type RoleProcess, untilRunning } from '../support/servers/roleProcess.ts';
import { exitCode } from '../support/servers/runningSystem.ts';
import type { TestServer } from '../support/servers/testServer.ts';
import { waitFor } from '../support/time/waitFor.ts';

/** Ten seconds are promised, and held in virtual time by the simulation; here a machine may be six times slower. */
const TAKEOVER_MS_MAX = 60_000;
const MODELS = allProjections(projectRootUrl()).length;

let nats: TestServer;
let database: TestDatabase;
let opened: OpenedLog;
let pool: pg.Pool;
const dataDir = makeTempFolder('projectors');
const started: Projector[] = [];

beforeAll(async () => {
  nats = await startTestNats();
  database = await createTestDatabase();
  opened = await openTestLog(nats.url);
  pool = new pg.Pool({ connectionString: database.url, max: 4 });
  pool.on('error', () => {});
});

afterAll(async () => {
  // Also one that a failed test left frozen.
  for (const projector of started) projector.kill('SIGKILL');
  await pool.end();
  await opened.close();
  await nats.stop();
  await database.drop();
  rmSync(dataDir, { recursive: true });
});

type Projector = RoleProcess['child'];

/** The real process in the role `projector`. */
async function startProjector(): Promise<Projector> {
  const launched = launchRole('projector', {
    NATS_URL: nats.url,
    DATABASE_URL: database.url,
    CHAT_DATA_DIR: dataDir,
  });
  started.push(launched.child);
  await untilRunning(launched);
  return launched.child;
}

/** How many groups of all the read models it holds. */
async function groupsOf({ pid }: Projector): Promise<number> {
  const sql = `SELECT count(*)::int AS n FROM projection_checkpoints WHERE split_part(owner, ':', 2) = $1`;
  return (await pool.query(sql, [String(pid)])).rows[0].n;
}

/** Of the read model and group that is furthest behind. */
async function lowestCheckpoint(): Promise<number> {
  const { rows } = await pool.query(
    'SELECT min(seq)::int AS seq, count(*)::int AS n FROM projection_checkpoints',
  );
  return rows[0].n === MODELS * PARTITION_GROUPS ? rows[0].seq : 0;
}

/** Until the one has all groups and is past all that was said when this was called. @returns milliseconds */
async function takeover(by: Projector): Promise<number> {
  const startedAt = performance.now();
  const { lastSeq } = await opened.log.status();
  const done = async () =>
    (await groupsOf(by)) === MODELS * PARTITION_GROUPS && (await lowestCheckpoint()) >= lastSeq;
  await waitFor('the takeover', done, { timeoutMs: 2 * TAKEOVER_MS_MAX });
  return performance.now() - startedAt;
}

/** Stops the process in the middle of a transaction, when what it locks is in the way of the others. */
async function freezeInTransaction(projector: Projector): Promise<void> {
  const sql = `SELECT FROM pg_stat_activity WHERE application_name = 'chat-backend projector'
    AND datname = current_database() AND state = 'idle in transaction' AND clock_timestamp() - state_change > '0.3 s'`;
  const inTransaction = async () => (await pool.query(sql)).rowCount !== 0;
  const caught = async () => {
    projector.kill('SIGSTOP');
    const frozenAt = performance.now();
    const settled = async () => (await inTransaction()) || performance.now() - frozenAt > 500;
    await waitFor('a transaction to stand still', settled);
    if (await inTransaction()) return true;
    projector.kill('SIGCONT');
    return false;
  };
  await waitFor('a process frozen in a transaction', caught);
}

async function shared(...projectors: readonly Projector[]): Promise<void> {
  const each = (MODELS * PARTITION_GROUPS) / projectors.length;
  const even = async () => (await Promise.all(projectors.map(groupsOf))).every((groups) => groups === each);
  await waitFor('an even share', even);
  const { lastSeq } = await opened.log.status();
  await waitFor('all groups to move on', async () => (await lowestCheckpoint()) >= lastSeq, {
    timeoutMs: 300_000,
  });
}

/** Somebody speaks in conversations of every group, without a pause. */
async function talk() {
  const application = applicationOn(opened);
  const wanted = { userId: 'alice', title: null, visibility: 'open', participantIds: [] } as const;
  const ids = await Promise.all(
    Array.from({ length: 32 }, async () => (await createConversation(application, wanted)).conversationId),
  );
  expect(new Set(ids.map(groupOf)).size).toBe(PARTITION_GROUPS);
  let said = 0;
  let speaking = true;
  const speakers = ids.map(async (conversationId) => {
    for (; speaking; said++) {
      await postMessage(application, { conversationId, userId: 'alice', content: `${said}` });
      // Some hundreds a second in all: enough that there always is something to project.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
  return async () => {
    speaking = false;
    await Promise.all(speakers);
    return said;
  };
}

test('two projector processes share the work; when one is frozen or killed, the other has all of it within ten seconds', async () => {
  const hush = await talk();
  const [frozen, other] = await Promise.all([startProjector(), startProjector()]);
  await shared(frozen, other);

  await freezeInTransaction(frozen);
  expect(await takeover(other)).toBeLessThan(TAKEOVER_MS_MAX);
  frozen.kill('SIGCONT');
  await shared(frozen, other);

  other.kill('SIGKILL');
  expect(await takeover(frozen)).toBeLessThan(TAKEOVER_MS_MAX);

  const said = await hush();
  const verification = await verify({ log: opened.log, feed: opened.log, pool, waitMsMax: 30_000 });
  expect(verification.differences).toEqual([]);
  expect(verification.parked).toEqual([]);
  expect(verification.messages).toBe(said);
  frozen.kill('SIGTERM');
  expect(await exitCode(frozen)).toBe(0);
});
