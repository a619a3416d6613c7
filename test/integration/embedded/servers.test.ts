import { existsSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  type EmbeddedServerEvent,
  type EmbeddedServers,
  type EmbeddedServersOptions,
  startEmbeddedServers,
} from '../../../src/platform/embedded/embeddedServers.ts';
import { AlreadyRunningError, NatsServerMissingError } from '../../../src/platform/embedded/errors.ts';
import { startEmbeddedNats } from '../../../src/platform/embedded/natsServer.ts';
import { startEmbeddedPostgres } from '../../../src/platform/embedded/postgresServer.ts';
import { isAlive } from '../../../src/platform/embedded/processInfo.ts';
import { readRunFile, runFilePath, writeRunFile } from '../../../src/platform/embedded/runFile.ts';
import { makeTempFolder } from '../../support/run/testRun.ts';
import { query } from '../../support/servers/postgres.ts';
import { waitFor } from '../../support/time/waitFor.ts';

const external = 'postgresql://somebody@database.example/chat';
const natsServerBin = process.env.NATS_SERVER_BIN ?? 'nats-server';

let dataDir: string;
let running: EmbeddedServers[];
let events: EmbeddedServerEvent[];

beforeEach(() => {
  dataDir = makeTempFolder('embedded');
  running = [];
  events = [];
});

afterEach(async () => {
  await Promise.all(running.map((servers) => servers.stop()));
  rmSync(dataDir, { recursive: true, force: true });
});

async function start(options: Partial<EmbeddedServersOptions> = {}): Promise<EmbeddedServers> {
  const onEvent = (event: EmbeddedServerEvent): void => void events.push(event);
  const servers = await startEmbeddedServers({ dataDir, roles: ['all'], natsServerBin, onEvent, ...options });
  running.push(servers);
  return servers;
}

test('both servers start, run.json names them for its owner only, and a stop leaves nothing', async () => {
  const servers = await start();
  const run = readRunFile(dataDir);
  expect(run?.nats?.url).toBe(servers.natsUrl);
  expect(run?.postgres?.url).toBe(servers.databaseUrl);
  expect(run?.app).toMatchObject({ pid: process.pid, roles: ['all'] });
  expect(statSync(runFilePath(dataDir)).mode & 0o777).toBe(0o600);
  expect(await query(servers.databaseUrl!, 'SELECT current_database() AS name')).toEqual([{ name: 'chat' }]);

  await servers.stop();
  expect(isAlive(run!.nats!.pid!)).toBe(false);
  expect(isAlive(run!.postgres!.pid!)).toBe(false);
  expect(existsSync(runFilePath(dataDir))).toBe(false);
  expect(events.map(({ type, server }) => `${type} ${server}`).toSorted()).toEqual([
    'serverStarted nats',
    'serverStarted postgres',
    'serverStopped nats',
    'serverStopped postgres',
  ]);
});

test('a server that dies comes back on its port, and run.json gets its new pid', async () => {
  const { natsUrl } = await start({ databaseUrl: external });
  const died = readRunFile(dataDir)!.nats!.pid!;
  process.kill(died, 'SIGKILL');
  const pid = await waitFor('a new pid in run.json', () => {
    const now = readRunFile(dataDir)?.nats?.pid;
    return now !== died && now;
  });
  expect(isAlive(pid)).toBe(true);
  expect(readRunFile(dataDir)).toMatchObject({
    nats: { url: natsUrl },
    postgres: { url: external, pid: null },
  });
  expect(events.map((event) => event.type)).toEqual([
    'serverStarted',
    'serverDied',
    'serverRestarting',
    'serverStarted',
  ]);
  expect(events[1]).toMatchObject({ server: 'nats', pid: died, reason: 'signal SIGKILL' });
});

test('a second system on the same folder is refused and told what to do', async () => {
  await start({ databaseUrl: external });
  await expect(start({ databaseUrl: external })).rejects.toThrow(AlreadyRunningError);
  await expect(start({ databaseUrl: external })).rejects.toThrow(`pid ${process.pid}`);
  expect(readRunFile(dataDir)?.app.pid).toBe(process.pid);
});

test('what a killed run left behind is taken over: its servers end, its data stays', async () => {
  const nats = await startEmbeddedNats({ dataDir, binary: natsServerBin });
  const postgres = await startEmbeddedPostgres({ dataDir });
  await query(postgres.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
  const urls = { nats: { url: nats.url, pid: nats.pid }, postgres: { url: postgres.url, pid: postgres.pid } };
  writeRunFile(dataDir, { ...urls, app: { pid: 2 ** 22 + 1, roles: ['all'] } });

  const servers = await start();
  expect(await nats.exited).toBe('code 0');
  expect(await postgres.exited).toBe('code 0');
  expect(servers).toMatchObject({ natsUrl: nats.url, databaseUrl: postgres.url });
  expect(await query(servers.databaseUrl!, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
});

test('a kept port that another program took is given up at the next start', async () => {
  const first = await start({ databaseUrl: external });
  await first.stop();
  const port = Number(new URL(first.natsUrl).port);
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
  const second = await start({ databaseUrl: external });
  await new Promise((resolve) => other.close(resolve));
  expect(second.natsUrl).not.toBe(first.natsUrl);
});

test('when one server cannot start, the other is ended, the folder is free again, and the reason is told', async () => {
  const missing = join(dataDir, 'no-such-server');
  await expect(start({ natsServerBin: missing })).rejects.toThrow(NatsServerMissingError);
  expect(existsSync(runFilePath(dataDir))).toBe(false);
  await expect(start({ natsServerBin: missing, databaseUrl: external })).rejects.toThrow(/NATS_SERVER_BIN/);
});

test('a start that is given up leaves nothing running', async () => {
  const aborter = new AbortController();
  const started = start({ signal: aborter.signal });
  await waitFor('the database to be made', () => existsSync(join(dataDir, 'postgres.init')));
  aborter.abort();
  await expect(started).rejects.toThrow(/asked to stop/);
});

test('processes with external servers may share a folder, and the first one keeps run.json', async () => {
  const urls = { natsUrl: 'nats://log.example:4222', databaseUrl: external };
  await start({ ...urls, roles: ['api'] });
  await start({ ...urls, roles: ['edge'] });
  expect(readRunFile(dataDir)).toMatchObject({
    nats: { url: 'nats://log.example:4222', pid: null },
    postgres: { url: external, pid: null },
  });
});
