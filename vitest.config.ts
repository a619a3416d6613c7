import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { findNatsServer } from './src/setup/findNatsServer.mjs';
import { findRedisServer } from './src/setup/findRedisServer.mjs';

/** `npm test` has set them already; a plain `npx vitest` looks for them here. */
const natsServer = process.env.NATS_SERVER_BIN ?? findNatsServer();
const redisServer = process.env.REDIS_SERVER_BIN ?? findRedisServer();
const env = {
  ...(natsServer !== null && { NATS_SERVER_BIN: natsServer }),
  ...(redisServer !== null && { REDIS_SERVER_BIN: redisServer }),
};

/** Starts the run's PostgreSQL, and fails the run when a test leaves a process, folder or database behind. */
const withServers = { globalSetup: ['test/support/run/globalSetup.ts'] };

const parallel = {
  pool: 'forks',
  env,
  maxWorkers: availableParallelism(),
  sequence: { groupOrder: 0 },
} as const;
/** After all others and one file at a time: each of these files runs a whole system. */
const alone = { pool: 'forks', env, maxWorkers: 1, sequence: { groupOrder: 1 } } as const;

const seconds = (count: number) => ({
  // Each of these only ends a hang: nothing is judged by how long it takes.
  testTimeout: count * 1_000,
  hookTimeout: count * 1_000,
  teardownTimeout: 30_000,
});

const project = (name: string, options: object) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], ...options },
});

export default defineConfig({
  test: {
    projects: [
      project('unit', { ...parallel, ...seconds(180) }),
      project('simulation', { ...parallel, ...seconds(600) }),
      project('architecture', { ...parallel, ...seconds(300) }),
      project('contract', { ...parallel, ...seconds(300), ...withServers }),
      project('integration', { ...parallel, ...seconds(600), ...withServers }),
      project('chaos', { ...alone, ...seconds(900), ...withServers }),
      project('e2e', { ...alone, ...seconds(900), ...withServers }),
    ],
  },
});
