import { allProjections } from '../../projections/all.ts';
import { projectRootUrl } from '../../src/platform/embedded/projectRootUrl.ts';
import { listenForAnnouncements } from '../../src/platform/nats/projectionProgress.ts';
import { appendConversations } from '../support/chatHistory.ts';
import { openBenchLog } from '../support/log.ts';
import { openBenchDatabase } from '../support/projecting.ts';
import { startProjectorProcess } from '../support/projectorProcess.ts';
import { startBenchServers } from '../support/servers.ts';
import { ModelLag, talk } from '../support/steadyTalk.ts';

/**
 * One projector process that builds all read models, as in production, with the load generator and both servers on the same
 * cores. How old messages are when they are committed, at a steady 5,000 a second (wanted: p99 < 1 s); and how long it
 * takes after a minute without a database, at 2,000 a second, until nothing older than a second is missing
 * (wanted: < 10 s from the moment Postgres answers).
 */
const STEADY_SECONDS = Number(process.env.BENCH_SECONDS ?? 30);
const OUTAGE_SECONDS = Number(process.env.BENCH_OUTAGE_SECONDS ?? 60);
const CATCH_UP_MS_MAX = 120_000;

const seconds = (count: number) => new Promise((resolve) => setTimeout(resolve, count * 1_000));

const servers = await startBenchServers({ postgres: true });
const pool = await openBenchDatabase(servers.databaseUrl);
await pool.end();
const { log, connection } = await openBenchLog(servers.natsUrl);
const models = new Map(allProjections(projectRootUrl()).map(({ name }) => [name, new ModelLag()]));
for (const [name, lag] of models) {
  listenForAnnouncements(connection, name, (announcement) => lag.announced(announcement));
}
const onStored = (group: number, seq: number) => {
  for (const lag of models.values()) lag.stored(group, seq);
};
const conversationIds = await appendConversations(log, 1_000);
const stopProjector = startProjectorProcess(servers);
try {
  await steady();
  await outage();
} finally {
  await stopProjector();
  await log.close(1_000);
  await connection.close();
  await servers.stop();
}

async function steady(): Promise<void> {
  const hush = talk(log, 5_000, conversationIds, onStored);
  await seconds(5);
  for (const lag of models.values()) lag.ages = [];
  await seconds(STEADY_SECONDS);
  hush();
  for (const [name, { ages }] of models) {
    ages.sort((a, b) => a - b);
    const at = (share: number) => Math.round(ages[Math.floor(share * ages.length)] ?? Number.NaN);
    console.log(
      `projectionLag: ${name} at 5000/s: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms (wanted < 1000), ` +
        `max ${at(0.999999)} ms, ${ages.length} messages`,
    );
  }
  await caughtUp();
}

async function outage(): Promise<void> {
  const hush = talk(log, 2_000, conversationIds, onStored);
  await seconds(2);
  await servers.stopPostgres();
  await seconds(OUTAGE_SECONDS);
  for (const [name, lag] of models) {
    if (lag.oldestMs < OUTAGE_SECONDS * 1_000) throw new Error(`The outage did not stop ${name}`);
  }
  const [startedAt, all] = await Promise.all([
    servers.startPostgres().then(() => performance.now()),
    caughtUp(),
  ]);
  for (const [name, ms] of all) {
    console.log(
      `projectionLag: ${name} caught up ${((ms - startedAt) / 1_000).toFixed(1)} s after an outage of ` +
        `${OUTAGE_SECONDS} s at 2000/s (wanted < 10)`,
    );
  }
  hush();
}

/** @returns when each model lacked nothing older than a second */
async function caughtUp(): Promise<ReadonlyMap<string, number>> {
  const done = new Map<string, number>();
  const deadline = performance.now() + CATCH_UP_MS_MAX;
  while (done.size < models.size) {
    await seconds(0.02);
    const now = performance.now();
    if (now > deadline) throw new Error('Not caught up in two minutes');
    for (const [name, lag] of models) if (!done.has(name) && lag.oldestMs < 1_000) done.set(name, now);
  }
  return done;
}
