import { rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'nats';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { NatsServerTooOldError, ServerExitedEarlyError } from '../../../src/platform/embedded/errors.ts';
import { startEmbeddedNats } from '../../../src/platform/embedded/natsServer.ts';
import { makeTempFolder } from '../../support/run/testRun.ts';
import { startTestNats } from '../../support/servers/nats.ts';

let folder: string;

beforeEach(() => {
  folder = makeTempFolder('nats server');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('what was acknowledged survives kill -9, on the same port', async () => {
  const server = await startTestNats();
  try {
    const before = await connect({ servers: server.url, reconnect: false });
    await (await before.jetstreamManager()).streams.add({ name: 'KEPT', subjects: ['kept'] });
    await before.jetstream().publish('kept', 'one');
    const gone = before.closed();
    await server.kill9();
    await gone;
    await server.restart();
    const after = await connect({ servers: server.url });
    const info = await (await after.jetstreamManager()).streams.info('KEPT');
    expect(info.state.messages).toBe(1);
    await after.close();
  } finally {
    await server.stop();
  }
});

test('a frozen server does not answer and a thawed one does', async () => {
  const server = await startTestNats();
  try {
    const client = await connect({ servers: server.url });
    server.freeze();
    const answered = client.flush().then(() => 'answered');
    const first = await Promise.race([
      answered,
      new Promise((resolve) => setTimeout(resolve, 200, 'silent')),
    ]);
    expect(first).toBe('silent');
    server.thaw();
    expect(await answered).toBe('answered');
    await client.close();
  } finally {
    await server.stop();
  }
});

test('a folder with a space in its name works, and a log that grew too large is emptied', async () => {
  const log = join(folder, 'nats.log');
  writeFileSync(log, '');
  truncateSync(log, 11 * 1024 * 1024);
  const server = await startEmbeddedNats({
    dataDir: folder,
    binary: process.env.NATS_SERVER_BIN ?? 'nats-server',
  });
  await server.stop();
  expect(await server.exited).toBe('code 0');
});

test('a server that refuses its configuration is reported with the end of its log', async () => {
  const script = join(folder, 'fake-nats-server');
  writeFileSync(
    script,
    '#!/bin/sh\n[ "$1" = --version ] && echo nats-server: v2.11.0 && exit\necho cannot do it\nexit 3\n',
    {
      mode: 0o755,
    },
  );
  const started = startEmbeddedNats({ dataDir: folder, binary: script });
  await expect(started).rejects.toThrow(ServerExitedEarlyError);
  await expect(started).rejects.toThrow(/code 3[\s\S]*cannot do it/);
});

test('a version that loses messages by its known bugs is refused', async () => {
  const script = join(folder, 'old-nats-server');
  writeFileSync(script, '#!/bin/sh\necho nats-server: v2.8.4\n', { mode: 0o755 });
  await expect(startEmbeddedNats({ dataDir: folder, binary: script })).rejects.toThrow(NatsServerTooOldError);
});
