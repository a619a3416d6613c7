import { rebuild } from '../../projections/runner/rebuild.ts';
import { systemTimers } from '../../src/platform/time/timers.ts';
import { appendConversations, appendMessages } from '../support/chatHistory.ts';
import { openBenchLog } from '../support/log.ts';
import { BATCH, history, openBenchDatabase, projectHistory } from '../support/projecting.ts';
import { startBenchServers } from '../support/servers.ts';

/** A rebuild of the whole history beside the live one, comparison and switch included. Wanted: ≥ 30,000 events/s. */
const MESSAGES = Number(process.env.BENCH_MESSAGES ?? 1_000_000);
const CONVERSATIONS = 1_000;

const servers = await startBenchServers({ postgres: true });
const pool = await openBenchDatabase(servers.databaseUrl);
const { log, connection } = await openBenchLog(servers.natsUrl);
try {
  await appendMessages(log, MESSAGES, await appendConversations(log, CONVERSATIONS));
  const first = await projectHistory(log, pool);
  const startedAt = performance.now();
  let builtAt = startedAt;
  const { switched, comparison } = await rebuild({
    ...{ projection: history, pool, log, feed: log, timers: systemTimers, worker: 'bench', batchMax: BATCH },
    onProgress: ({ seq, lastSeq }) => {
      if (seq < lastSeq) builtAt = performance.now();
    },
  });
  const seconds = (performance.now() - startedAt) / 1_000;
  const events = MESSAGES + CONVERSATIONS;
  const equal = comparison?.different.length === 0 ? 'equal to the live one' : 'NOT EQUAL to the live one';
  if (!switched) throw new Error('The rebuild was not switched to');
  console.log(
    `rebuild: ${Math.round(events / seconds)} events/s in all (wanted ≥ 30000), ${equal}; ` +
      `${Math.round(events / ((builtAt - startedAt) / 1_000))} events/s until it was compared; first build ${Math.round(first)}`,
  );
} finally {
  await pool.end();
  await log.close(1_000);
  await connection.close();
  await servers.stop();
}
