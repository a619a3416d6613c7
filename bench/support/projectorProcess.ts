import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchServers } from './servers.ts';

/** A projector as it is run in production: a process of its own that builds all read models. @returns what ends it */
export function startProjectorProcess(servers: BenchServers): () => Promise<void> {
  const dataDir = join(servers.dataDir, 'projector');
  mkdirSync(dataDir);
  const script = fileURLToPath(new URL('../../src/main/main.js', import.meta.url));
  const settings = { NATS_URL: servers.natsUrl, DATABASE_URL: servers.databaseUrl, CHAT_DATA_DIR: dataDir };
  const env = { ...process.env, ...settings, ROLES: 'projector,maintenance', LOG_LEVEL: 'silent' };
  const child = spawn(process.execPath, [script], { env, stdio: ['ignore', 'inherit', 'inherit'] });
  return async () => {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
  };
}
