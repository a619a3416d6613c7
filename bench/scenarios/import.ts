import { fileURLToPath } from 'node:url';
import { historyProjection } from '../../projections/history/history.ts';
import { PostgresStore } from '../../projections/runner/postgresStore.ts';
import { ProjectionRunner } from '../../projections/runner/runner.ts';
import { runImport } from '../../src/cli/commands/import.ts';
import { verify } from '../../src/maintenance/audit/verify.ts';
import { projectRootUrl } from '../../src/platform/embedded/projectRootUrl.ts';
import { openDatabase } from '../../src/platform/postgres/database.ts';
import { migrate } from '../../src/platform/postgres/migrations/migrate.ts';
import { systemTimers } from '../../src/platform/time/timers.ts';
import { benchApplication } from '../support/application.ts';
import { openBenchLog } from '../support/log.ts';
import { startBenchServers } from '../support/servers.ts';

/** The whole corpus, from the file into the log, and until it is all in Postgres. Wanted: < 30 s. */
const file = process.env.BENCH_CORPUS ?? '';

const servers = await startBenchServers({ postgres: true });
const { log, connection } = await openBenchLog(servers.natsUrl);
const database = openDatabase({
  url: servers.databaseUrl,
  applicationName: 'bench',
  connectionsMax: 4,
  statementMsMax: 60_000,
});
await migrate({
  url: servers.databaseUrl,
  directory: fileURLToPath(new URL('prisma/migrations', projectRootUrl())),
});
const projection = historyProjection(projectRootUrl());
const runner = new ProjectionRunner({
  projection,
  store: new PostgresStore({ projection, pool: database.pool, worker: 'bench' }),
  log,
  feed: log,
  timers: systemTimers,
  batchMax: 2_000,
  onEvent: (event) => event.type === 'projectionFailed' && console.error(event.error),
});
try {
  runner.start();
  const context = benchApplication(log);
  const startedAt = performance.now();
  const seconds = () => ((performance.now() - startedAt) / 1_000).toFixed(1);
  const { text } = await runImport(context, file, {});
  const acceptedAfter = seconds();
  // Waits until the read model has reached the log's end, then compares.
  const result = await verify({ log, feed: log, pool: database.pool, waitMsMax: 120_000 });
  console.log(
    `import: ${text}; accepted after ${acceptedAfter} s, in Postgres and verified after ${seconds()} s, ` +
      `${result.differences.length} differences (wanted: < 30 s)`,
  );
} finally {
  await runner.stop();
  await log.close(1_000);
  await database.close();
  await connection.close();
  await servers.stop();
}
