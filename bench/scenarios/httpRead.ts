import { startApiServer } from '../support/apiServer.ts';
import { appendConversations, appendMessages } from '../support/chatHistory.ts';
import { corpusTexts } from '../support/corpus.ts';
import { inTurns } from '../support/inTurns.ts';
import { openBenchLog } from '../support/log.ts';
import { startMeasured } from '../support/measured.ts';
import { openBenchDatabase, projectHistory } from '../support/projecting.ts';
import { getRequest } from '../support/rawHttp.ts';
import { type BenchServers, startBenchServers } from '../support/servers.ts';

/**
 * Pages of 50 messages of random conversations, read over HTTP from one API process, against a bare Express handler around
 * the same SQL over `pg`, in the same run, in turns. Wanted: ≥ 0.5. Postgres and the load generator share the two cores
 * with either.
 */
const MESSAGES = Number(process.env.BENCH_MESSAGES ?? 100_000);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const REQUESTS = Number(process.env.BENCH_REQUESTS ?? 6_000);
const CONVERSATIONS = 1_000;
const CONNECTIONS = 32;

const servers = await startBenchServers({ postgres: true });
try {
  const conversationIds = await fill(servers);
  const api = await startApiServer(servers);
  const bare = await startMeasured(new URL('../limits/bareHistory.js', import.meta.url), [
    servers.databaseUrl,
  ]);
  try {
    const requests = conversationIds.map((id) =>
      getRequest(`/api/chat/conversations/${id}/messages?userId=bench&limit=50`),
    );
    // The same for both, and another order in each round.
    const load = (round: number) => {
      const request = (n: number) => requests[scatter(round * REQUESTS + n) % requests.length] ?? '';
      return { connections: CONNECTIONS, requests: REQUESTS, request, status: 200 };
    };
    const turns = [
      { name: 'API', server: api, load },
      { name: 'bare', server: bare, load },
    ];
    const figures = await inTurns(turns, ROUNDS);
    const ratio = figures.get('bare')?.ratio ?? Number.NaN;
    console.log(`HTTP read: median ratio ${ratio.toFixed(2)} (wanted ≥ 0.5)`);
  } finally {
    await api.stop();
    await bare.stop();
  }
} finally {
  await servers.stop();
}

/** The history as the projector builds it. @returns the ids of its conversations */
async function fill({ natsUrl, databaseUrl }: BenchServers): Promise<string[]> {
  const pool = await openBenchDatabase(databaseUrl);
  const { log, connection } = await openBenchLog(natsUrl);
  const texts = corpusTexts();
  const conversationIds = await appendConversations(log, CONVERSATIONS);
  const contentOf = (n: number) => texts[n % texts.length] ?? '';
  await appendMessages(log, MESSAGES, conversationIds, () => {}, contentOf);
  await projectHistory(log, pool);
  // What autovacuum would come to do by itself, at a moment that is not ours to choose.
  await pool.query('VACUUM ANALYZE');
  await pool.end();
  await log.close(1_000);
  await connection.close();
  return conversationIds;
}

/** A number that looks like chance, and is the same in every run. Source: Knuth's multiplicative hashing. */
function scatter(n: number): number {
  return Math.imul(n, 2_654_435_761) >>> 8;
}
