import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  PostgresFolderForeignError,
  PostgresPasswordError,
} from '../../../src/platform/embedded/postgresErrors.ts';
import { startEmbeddedPostgres } from '../../../src/platform/embedded/postgresServer.ts';
import { makeTempFolder } from '../../support/run/testRun.ts';
import { createTestDatabase, query, startTestPostgres } from '../../support/servers/postgres.ts';
import { startTestServer } from '../../support/servers/testServer.ts';

let folder: string;

beforeEach(() => {
  folder = makeTempFolder('postgres');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('committed rows survive kill -9 of the whole server, on the same port and with the same password', async () => {
  const server = await startTestPostgres();
  try {
    await query(server.url, 'CREATE TABLE kept AS SELECT 1 AS n');
    await server.kill9();
    await server.restart();
    expect(await query(server.url, 'SELECT n FROM kept')).toEqual([{ n: 1 }]);
  } finally {
    await server.stop();
  }
});

test('a postmaster.pid whose pid now belongs to another program does not hinder the start', async () => {
  const server = await startTestServer(folder, (dataDir, port) => startEmbeddedPostgres({ dataDir, port }));
  try {
    await server.kill9();
    const pidFile = join(folder, 'postgres', 'postmaster.pid');
    const lines = readFileSync(pidFile, 'utf8').split('\n');
    // This very process stands for a program that got the old pid by chance; it must survive.
    writeFileSync(pidFile, [process.pid, ...lines.slice(1)].join('\n'));
    await server.restart();
    expect(await query(server.url, 'SELECT 1 AS up')).toEqual([{ up: 1 }]);
  } finally {
    await server.stop();
  }
});

test('it runs from a folder that only its owner may enter, and its password is readable by its owner only', async () => {
  const closed = makeTempFolder('private', 0o700);
  const server = await startTestServer(closed, (dataDir, port) => startEmbeddedPostgres({ dataDir, port }));
  try {
    expect(await query(server.url, 'SELECT 1 AS up')).toEqual([{ up: 1 }]);
    expect(statSync(join(closed, 'postgres.password')).mode & 0o777).toBe(0o600);
    await server.restart();
    expect(await query(server.url, "SELECT lower('ÄÖ') AS low")).toEqual([{ low: 'äö' }]);
  } finally {
    await server.stop();
  }
});

test.each([
  ['missing', null],
  ['empty, as after a power cut', ''],
  ['full of zeros', '\0'.repeat(33)],
  ['cut off', 'half-a-passw'],
])('a password file that is %s is made anew, and no row is lost', async (_what, content) => {
  const server = await startTestServer(folder, (dataDir, port) => startEmbeddedPostgres({ dataDir, port }));
  try {
    await query(server.url, 'CREATE TABLE kept AS SELECT 1 AS n');
    await server.kill9();
    const file = join(folder, 'postgres.password');
    if (content === null) rmSync(file);
    else writeFileSync(file, content);
    await server.restart();
    const renewed = new URL(server.url);
    renewed.password = readFileSync(file, 'utf8').trim();
    expect(await query(renewed.href, 'SELECT n FROM kept')).toEqual([{ n: 1 }]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await server.kill9();
    await server.restart();
    expect(await query(renewed.href, 'SELECT n FROM kept')).toEqual([{ n: 1 }]);
  } finally {
    await server.stop();
  }
});

test('another password is reported as that, and the server is not left running', async () => {
  const server = await startTestServer(folder, (dataDir, port) => startEmbeddedPostgres({ dataDir, port }));
  try {
    await server.kill9();
    writeFileSync(join(folder, 'postgres.password'), `${'another-'.repeat(4)}\n`);
    await expect(server.restart()).rejects.toThrow(PostgresPasswordError);
  } finally {
    await server.stop();
  }
});

test('the folder of another major version is left alone and named', async () => {
  const server = await startTestServer(folder, (dataDir, port) => startEmbeddedPostgres({ dataDir, port }));
  try {
    await server.kill9();
    writeFileSync(join(folder, 'postgres', 'PG_VERSION'), '12\n');
    await expect(server.restart()).rejects.toThrow(PostgresFolderForeignError);
  } finally {
    await server.stop();
  }
});

test('every test database is empty and its own', async () => {
  const [one, other] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  await query(one.url, 'CREATE TABLE mine (n int)');
  expect(await query(other.url, "SELECT to_regclass('mine') AS found")).toEqual([{ found: null }]);
  await Promise.all([one.drop(), other.drop()]);
});
