import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import type { EmbeddedServer } from '../../src/platform/embedded/natsServer.ts';
import { spawnServer, waitUntilReady } from '../../src/platform/embedded/serverProcess.ts';

/** A redis-server that keeps nothing on disk; the tests use it as well. @param fixedPort default: a free one */
export async function startRedis(dataDir: string, fixedPort?: number): Promise<EmbeddedServer> {
  const port = fixedPort ?? (await freePort());
  const logFile = join(dataDir, 'redis.log');
  const process_ = await spawnServer({
    command: process.env.REDIS_SERVER_BIN ?? 'redis-server',
    args: ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', dataDir],
    cwd: dataDir,
    env: process.env,
    logFile,
    stopSignals: [{ signal: 'SIGTERM', waitMs: 5_000 }],
  });
  const probe = () => answersPing(port);
  await waitUntilReady({ server: 'redis-server', process: process_, probe, timeoutMs: 15_000, logFile });
  return { ...process_, url: `redis://127.0.0.1:${port}`, port };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address !== null ? resolve(address.port) : reject(),
      );
    });
  });
}

function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 1_000 });
    const answer = (ready: boolean): void => {
      socket.destroy();
      resolve(ready);
    };
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (bytes) => answer(bytes.toString().startsWith('+PONG')));
    for (const event of ['error', 'timeout', 'close']) socket.once(event, () => answer(false));
  });
}
