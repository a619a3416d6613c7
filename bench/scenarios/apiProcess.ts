import { createServer } from 'node:net';
import { startSystem } from '../../src/main/system.ts';
import { createLogger } from '../../src/observability/logs/logger.ts';
import { loadConfig } from '../../src/platform/config/config.ts';
import { serveMeasured } from '../support/measured.ts';

/** One API process, as the role `api` runs it with its default settings; also its log lines are written. */
const [, , natsUrl, databaseUrl, dataDir] = process.argv;
const port = await freePort();
const where = { NATS_URL: natsUrl, DATABASE_URL: databaseUrl, CHAT_DATA_DIR: dataDir };
const config = loadConfig({ ...where, ROLES: 'api', HOST: '127.0.0.1', PORT: String(port) });
await startSystem(config, createLogger(config.logLevel), new AbortController().signal);
serveMeasured(port);

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}
