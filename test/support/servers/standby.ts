import { execFile } from 'node:child_process';
import { chownSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../../src/platform/embedded/postgresServer.ts';
import { makeTempFolder } from '../run/testRun.ts';
import { startTestServer, type TestServer } from './testServer.ts';

const run = promisify(execFile);

/** A hot standby that streams from a running primary: a copy of its folder, made as a base backup. The test stops it. */
export async function startStandby(primary: TestServer): Promise<TestServer> {
  const dataDir = makeTempFolder('standby');
  const label = await copyOf(primary, dataDir);
  const cluster = join(dataDir, 'postgres');
  const owner = statSync(cluster);
  for (const [name, content] of [
    ['backup_label', label],
    ['standby.signal', ''],
  ] as const) {
    writeFileSync(join(cluster, name), content);
    chownSync(join(cluster, name), owner.uid, owner.gid);
  }
  for (const name of ['postgres/postmaster.pid', 'postgres.port'])
    rmSync(join(dataDir, name), { force: true });
  const { hostname, port, username, password } = new URL(primary.url);
  const primary_conninfo = `host=${hostname} port=${port} user=${username} password=${password}`;
  return startTestServer(dataDir, (folder, kept) =>
    startEmbeddedPostgres({ dataDir: folder, port: kept, settings: { primary_conninfo } }),
  );
}

/** @returns what the copy must be labelled with */
async function copyOf({ url, dataDir }: TestServer, to: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query("SELECT pg_backup_start('standby', true)");
    await run('cp', ['-a', `${dataDir}/.`, to]);
    const { rows } = await client.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(false)');
    return rows[0]?.labelfile ?? '';
  } finally {
    await client.end();
  }
}
