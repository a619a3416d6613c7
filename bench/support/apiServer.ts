import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type MeasuredServer, startMeasured } from './measured.ts';
import type { BenchServers } from './servers.ts';

/** An API process on these servers. Its log lines go to a file, as a process manager would have it. */
export function startApiServer({ natsUrl, databaseUrl, dataDir }: BenchServers): Promise<MeasuredServer> {
  const folder = join(dataDir, 'api');
  mkdirSync(folder);
  const script = new URL('../scenarios/apiProcess.js', import.meta.url);
  return startMeasured(script, [natsUrl, databaseUrl, folder], join(folder, 'api.log'));
}
