import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isAlive } from '../../src/platform/embedded/processInfo.ts';
import { answersIn, exchange } from '../support/http/rawHttp.ts';
import { makeTempFolder } from '../support/run/testRun.ts';
import { exitCode, launch, startRunningSystem } from '../support/servers/runningSystem.ts';
import { waitFor } from '../support/time/waitFor.ts';

let dataDir: string;

beforeEach(() => {
  dataDir = makeTempFolder('start');
});

afterEach(() => {
  rmSync(dataDir, { recursive: true, force: true });
});

/** Starts the system where it cannot start. @returns the line it says, which must be the only one */
async function failedStart(env: NodeJS.ProcessEnv): Promise<string> {
  const settings = {
    ...process.env,
    CHAT_DATA_DIR: dataDir,
    PORT: '0',
    EDGE_PORT: '0',
    LOG_LEVEL: 'silent',
    ...env,
  };
  const { child, output } = launch(settings);
  expect(await exitCode(child)).toBe(1);
  expect(output().trim().split('\n')).toHaveLength(1);
  return output().trim();
}

async function busyPort(): Promise<{ port: string; free: () => void }> {
  const server = createServer();
  server.listen(0, '0.0.0.0');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening');
  return { port: String(address.port), free: () => server.close() };
}

test('a busy API or edge port is one line that names the port and its setting', async () => {
  const { port, free } = await busyPort();
  try {
    expect(await failedStart({ PORT: port })).toMatch(new RegExp(`${port}.*PORT`));
    expect(await failedStart({ EDGE_PORT: port })).toMatch(new RegExp(`${port}.*EDGE_PORT`));
  } finally {
    free();
  }
});

test('a wrong setting is one line that says what is allowed', async () => {
  expect(await failedStart({ PORT: 'eighty' })).toMatch(/PORT is "eighty"\. Allowed: .*Example: PORT=3001/);
});

test('a nats-server or a Postgres that is not there is one line that names the setting', async () => {
  expect(await failedStart({ NATS_URL: 'nats://127.0.0.1:9' })).toMatch(/NATS_URL/);
  expect(await failedStart({ DATABASE_URL: 'postgresql://a:b@127.0.0.1:9/c' })).toMatch(
    /127\.0\.0\.1:9.*DATABASE_URL/,
  );
});

test('the command without a running system says how to find one', async () => {
  const env = { ...process.env, CHAT_DATA_DIR: dataDir };
  const { child, output } = launch(env, 'src/cli/chat-backend.mjs', ['lag']);
  expect(await exitCode(child)).toBe(3);
  expect(output()).toMatch(/No running system was found.*npm start/);
});

test('SIGTERM ends everything that was started, and a second start keeps the data', async () => {
  const system = await startRunningSystem();
  try {
    const bad = join(dataDir, 'bad.jsonl');
    const line = { room: 'r', at: '2026-01-01T00:00:00Z', user: 'u', text: 'kept' };
    writeFileSync(bad, JSON.stringify(line));
    expect(await system.cli('import', bad)).toMatchObject({ exitCode: 0 });
    // Nothing of a file with a fault is imported, also not what comes before it.
    writeFileSync(bad, `${JSON.stringify({ ...line, text: 'lost' })}\n{"room":"r"}\n`);
    expect(await system.cli('import', bad)).toMatchObject({
      exitCode: 4,
      stderr: expect.stringContaining('line 2'),
    });
    expect(await system.cli('import', join(dataDir, 'none'))).toMatchObject({
      exitCode: 4,
      stderr: expect.stringContaining('no such file'),
    });
    const { nats, postgres } = system.run();
    system.app.kill('SIGTERM');
    expect(await exitCode(system.app)).toBe(0);
    expect(isAlive(nats?.pid ?? 0)).toBe(false);
    expect(isAlive(postgres?.pid ?? 0)).toBe(false);

    await system.start();
    const second = launch({ ...process.env, CHAT_DATA_DIR: system.dataDir, PORT: '0', EDGE_PORT: '0' });
    expect(await exitCode(second.child)).toBe(1);
    expect(second.output()).toMatch(/already running/i);
    const kept = await waitFor('the kept message', async () => {
      const result = await system.cli('verify');
      return result.exitCode === 0 && result;
    });
    expect(kept.stdout).toMatch(/^1 messages in 1 conversations, 0 differences/);
  } finally {
    await system.remove();
  }
});

test('whose pages may come and how long browsers keep to TLS is what the settings say, at the API and the edge', async () => {
  const page = 'https://chat.example.com';
  const system = await startRunningSystem({ CORS_ORIGINS: page, HSTS_MAX_AGE_SECONDS: '60' });
  try {
    const edge = system.edgeUrl.replace('ws:', 'http:');
    const polling = `${edge}/socket.io/?EIO=4&transport=polling`;
    for (const [url, readable] of [
      [`${system.apiUrl}/health`, page],
      [`${edge}/health`, null],
      [polling, page],
    ] as const) {
      const { headers } = await fetch(url, { headers: { Origin: page } });
      expect([url, headers.get('access-control-allow-origin')]).toEqual([url, readable]);
      expect([url, headers.get('strict-transport-security')]).toEqual([url, 'max-age=60']);
    }
    const stranger = await fetch(polling, { headers: { Origin: 'https://evil.example' } });
    expect(stranger.status).toBe(403);
    const [malformed] = answersIn(await exchange(Number(new URL(system.apiUrl).port), 'hello\r\n\r\n'));
    expect(malformed?.headers).toMatchObject({
      'strict-transport-security': 'max-age=60',
      'cross-origin-resource-policy': 'cross-origin',
    });
  } finally {
    await system.remove();
  }
});
