import { systemIds } from '../../src/platform/ids.ts';
import { BareInserts } from '../limits/bareInserts.ts';
import { appendConversations, appendMessages, messagesTo } from '../support/chatHistory.ts';
import { openBenchLog } from '../support/log.ts';
import { openBenchDatabase, projectHistory } from '../support/projecting.ts';
import { startBenchServers } from '../support/servers.ts';

/**
 * What it costs to project messages when there are few or many rows, and few or many conversations, already. Wanted: at
 * most 1.2 times as much with many. Of rows, few messages are measured, so that few rows stay few.
 */
const MESSAGES = Number(process.env.BENCH_MESSAGES ?? 1_000_000);
const MESSAGES_AMONG_ROWS = MESSAGES / 5;
const [ROWS_FEW, ROWS_MANY] = [100_000, 3_000_000];
const [CONVERSATIONS_FEW, CONVERSATIONS_MANY] = [1_000, 1_000_000];

async function compare(
  what: string,
  work: (bench: Bench) => Promise<readonly [number, number]>,
): Promise<void> {
  const servers = await startBenchServers({ postgres: true });
  const pool = await openBenchDatabase(servers.databaseUrl);
  const { log, connection } = await openBenchLog(servers.natsUrl);
  /** @returns events per second */
  const measure = async (conversationIds: readonly string[], messages: number) => {
    await appendMessages(log, messages, conversationIds);
    return projectHistory(log, pool);
  };
  const fill = async (append: () => Promise<unknown>) => {
    await append();
    await projectHistory(log, pool);
    await pool.query('VACUUM ANALYZE');
    // What the filling left to be written is not part of what is measured.
    await pool.query('CHECKPOINT');
  };
  try {
    tell(what, await work({ log, measure, fill }));
  } finally {
    await pool.end();
    await log.close(1_000);
    await connection.close();
    await servers.stop();
  }
}

interface Bench {
  readonly log: Awaited<ReturnType<typeof openBenchLog>>['log'];
  readonly measure: (conversationIds: readonly string[], messages: number) => Promise<number>;
  readonly fill: (append: () => Promise<unknown>) => Promise<void>;
}

await compare(`${ROWS_FEW} and ${ROWS_MANY} messages`, async ({ log, measure, fill }) => {
  const ids = await appendConversations(log, CONVERSATIONS_FEW);
  await fill(() => appendMessages(log, ROWS_FEW, ids));
  const few = await measure(ids, MESSAGES_AMONG_ROWS);
  await fill(() => appendMessages(log, ROWS_MANY - ROWS_FEW - MESSAGES_AMONG_ROWS, ids));
  return [few, await measure(ids, MESSAGES_AMONG_ROWS)];
});

/** Either all conversations talk alike, or the few that talk do so among many that are silent. */
for (const talking of ['all', 'few'] as const) {
  await compare(
    `${CONVERSATIONS_FEW} and ${CONVERSATIONS_MANY} conversations, of which ${talking} talk`,
    async ({ log, measure, fill }) => {
      let ids: readonly string[] = [];
      const create = async (count: number) => {
        ids = await appendConversations(log, count);
      };
      await fill(() => create(CONVERSATIONS_FEW));
      const fewIds = ids;
      const few = await measure(fewIds, MESSAGES);
      await fill(() => create(CONVERSATIONS_MANY - CONVERSATIONS_FEW));
      return [few, await measure(talking === 'all' ? [...fewIds, ...ids] : fewIds, MESSAGES)];
    },
  );
}

/** What Postgres itself takes more for rows of many conversations: into the same tables and indexes, nothing looked up. */
const servers = await startBenchServers({ postgres: true });
const pool = await openBenchDatabase(servers.databaseUrl);
try {
  const bare = await BareInserts.open(pool);
  const ids = Array.from({ length: CONVERSATIONS_MANY }, () => systemIds.conversationId());
  const rate = async (talking: readonly string[]) => {
    const messageOf = messagesTo(talking);
    const posted = Array.from({ length: MESSAGES }, (_, n) => messageOf(n));
    await pool.query('CHECKPOINT');
    return bare.insert(posted);
  };
  tell(
    `bare inserts for ${CONVERSATIONS_FEW} and ${CONVERSATIONS_MANY} conversations`,
    [await rate(ids.slice(0, CONVERSATIONS_FEW)), await rate(ids)],
    '',
  );
  await bare.close();
} finally {
  await pool.end();
  await servers.stop();
}

function tell(what: string, [few, many]: readonly [number, number], wish = ' (wanted ≤ 1.2)'): void {
  const times = (few / many).toFixed(2);
  console.log(
    `flatCost: ${what}: ${Math.round(few)} and ${Math.round(many)} per second, ${times} times the cost${wish}`,
  );
}
