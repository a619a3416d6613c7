import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedNats } from '../../src/platform/embedded/natsServer.ts';
import { startEmbeddedPostgres } from '../../src/platform/embedded/postgresServer.ts';

export interface BenchServers {
  readonly natsUrl: string;
  readonly databaseUrl: string;
  stop(): Promise<void>;
}

/** A real nats-server and, when wanted, a real PostgreSQL, in a temporary folder that goes away afterwards. */
export async function startBenchServers(options: { postgres: boolean }): Promise<BenchServers> {
  const dataDir = mkdtempSync(join(tmpdir(), 'chat-backend-bench-'));
  const nats = await startEmbeddedNats({ dataDir, binary: process.env.NATS_SERVER_BIN ?? 'nats-server' });
  const postgres = options.postgres ? await startEmbeddedPostgres({ dataDir }) : null;
  return {
    natsUrl: nats.url,
    databaseUrl: postgres?.url ?? '',
    stop: async () => {
      await postgres?.stop();
      await nats.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
