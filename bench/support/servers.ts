import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedServer, startEmbeddedNats } from '../../src/platform/embedded/natsServer.ts';
import { startEmbeddedPostgres } from '../../src/platform/embedded/postgresServer.ts';

export interface BenchServers {
  readonly dataDir: string;
  readonly natsUrl: string;
  readonly natsPid: number;
  readonly databaseUrl: string;
  /** The database is gone until {@link BenchServers.startPostgres}. */
  stopPostgres(): Promise<void>;
  /** Starts it again on the same port with the same data. */
  startPostgres(): Promise<void>;
  stop(): Promise<void>;
}

/** A real nats-server and, when wanted, a real PostgreSQL, in a temporary folder that goes away afterwards. */
export async function startBenchServers(options: { postgres: boolean }): Promise<BenchServers> {
  const dataDir = mkdtempSync(join(tmpdir(), 'chat-backend-bench-'));
  const nats = await startEmbeddedNats({ dataDir, binary: process.env.NATS_SERVER_BIN ?? 'nats-server' });
  let postgres: EmbeddedServer | null = options.postgres ? await startEmbeddedPostgres({ dataDir }) : null;
  const { url: databaseUrl = '', port } = postgres ?? {};
  const stopPostgres = async () => {
    await postgres?.stop();
    postgres = null;
  };
  return {
    dataDir,
    natsUrl: nats.url,
    natsPid: nats.pid,
    databaseUrl,
    stopPostgres,
    startPostgres: async () => {
      postgres = await startEmbeddedPostgres({ dataDir, port });
    },
    stop: async () => {
      await stopPostgres();
      await nats.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
