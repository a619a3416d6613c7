import { rmSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { allProjections } from '../../projections/all.ts';
import { PARTITION_GROUPS } from '../../src/contracts/events/subjects.ts';
import { projectRootUrl } from '../../src/platform/embedded/projectRootUrl.ts';
import { type OpenedLog, openTestLog } from '../support/eventlog/jetStreamLog.ts';
import { makeTempFolder } from '../support/run/testRun.ts';
import { startTestNats } from '../support/servers/nats.ts';
import { createTestDatabase, type TestDatabase } from '../support/servers/postgres.ts';
import { launchRole, type RoleProcess, untilRunning } from '../support/servers/roleProcess.ts';
import { exitCode } from '../support/servers/runningSystem.ts';
import type { TestServer } from '../support/servers/testServer.ts';
import { waitFor } from '../support/time/waitFor.ts';

const GROUPS = allProjections(projectRootUrl()).length * PARTITION_GROUPS;
const dataDir = makeTempFolder('roles');
const launched: RoleProcess[] = [];
let nats: TestServer;
let database: TestDatabase;
let opened: OpenedLog;
let pool: pg.Pool;

beforeAll(async () => {
  nats = await startTestNats();
  database = await createTestDatabase();
  opened = await openTestLog(nats.url);
  pool = new pg.Pool({ connectionString: database.url, max: 2 });
  pool.on('error', () => {});
});

afterAll(async () => {
  for (const { child } of launched) child.kill('SIGTERM');
  for (const { child } of launched) expect(await exitCode(child)).toBe(0);
  await pool.end();
  await opened.close();
  await nats.stop();
  await database.drop();
  rmSync(dataDir, { recursive: true });
});

async function start(role: string): Promise<number | undefined> {
  const settings = { NATS_URL: nats.url, DATABASE_URL: database.url, CHAT_DATA_DIR: dataDir };
  const process = launchRole(role, settings);
  launched.push(process);
  await untilRunning(process);
  return process.child.pid;
}

/** Process ids that hold something, by the `host:pid:random` in which each process names itself. */
async function pidsIn(table: 'projection_checkpoints' | 'audit_progress'): Promise<number[]> {
  const sql = `SELECT split_part(owner, ':', 2)::int AS pid FROM ${table} WHERE owner IS NOT NULL`;
  return (await pool.query<{ pid: number }>(sql)).rows.map(({ pid }) => pid);
}

test('maintenance audits and projects nothing, a projector projects and does not audit', async () => {
  const maintenance = await start('maintenance');
  await waitFor('an audit', async () => (await pidsIn('audit_progress')).includes(maintenance ?? 0));
  expect(await pidsIn('projection_checkpoints')).toEqual([]);

  const projector = await start('projector');
  const claimed = async () => (await pidsIn('projection_checkpoints')).length === GROUPS;
  await waitFor('every group to be claimed', claimed);
  expect(new Set(await pidsIn('projection_checkpoints'))).toEqual(new Set([projector]));
  expect(await pidsIn('audit_progress')).toEqual([maintenance]);
});
