import type { MessagePosted } from '../../src/domain/conversation/events.ts';
import { BareInserts } from '../limits/bareInserts.ts';
import { appendConversations, appendMessages } from '../support/chatHistory.ts';
import { openBenchLog } from '../support/log.ts';
import { openBenchDatabase, projectHistory } from '../support/projecting.ts';
import { startBenchServers } from '../support/servers.ts';

/**
 * The history projector, from the log to committed rows, against bare `unnest` inserts of the same rows into the same
 * tables (messages with all their indexes, nothing else) over one connection. Wanted: ≥ 0.75.
 */
const MESSAGES = Number(process.env.BENCH_MESSAGES ?? 1_000_000);
const CONVERSATIONS = 1_000;

const servers = await startBenchServers({ postgres: true });
const pool = await openBenchDatabase(servers.databaseUrl);
const { log, connection } = await openBenchLog(servers.natsUrl);
try {
  const posted: MessagePosted[] = [];
  const conversationIds = await appendConversations(log, CONVERSATIONS);
  await appendMessages(log, MESSAGES, conversationIds, (message) => posted.push(message));
  const bareFirst = await bareInserts(posted);
  const projected = await projectHistory(log, pool);
  const bareAgain = await bareInserts(posted);
  const bare = (bareFirst + bareAgain) / 2;
  console.log(
    `projector: bare unnest ${Math.round(bareFirst)} and ${Math.round(bareAgain)} rows/s, ` +
      `projector ${Math.round(projected)} events/s, ratio ${(projected / bare).toFixed(2)} (wanted ≥ 0.75)`,
  );
} finally {
  await pool.end();
  await log.close(1_000);
  await connection.close();
  await servers.stop();
}

/** @returns rows per second */
async function bareInserts(posted: readonly MessagePosted[]): Promise<number> {
  const bare = await BareInserts.open(pool);
  const perSecond = await bare.insert(posted);
  await bare.close();
  return perSecond;
}
