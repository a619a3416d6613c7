import { LogHistory } from '../../src/application/reading/logHistory.ts';
import { appendConversations, appendMessages } from '../support/chatHistory.ts';
import { openBenchLog } from '../support/log.ts';
import { startBenchServers } from '../support/servers.ts';

/**
 * A page of 50 messages from the log, as it is read while the database is away: of conversations that have one message in
 * a thousand of the log, of one that has half of it, and by 32 readers at a time.
 */
const MESSAGES = Number(process.env.BENCH_MESSAGES ?? 300_000);
const CONVERSATIONS = 1_000;
const PAGES = 200;
const READERS = 32;

const servers = await startBenchServers({ postgres: false });
const { log, connection } = await openBenchLog(servers.natsUrl);
try {
  const ids = await appendConversations(log, CONVERSATIONS);
  const [hot = '', ...quiet] = ids;
  await appendMessages(log, MESSAGES / 2, quiet);
  await appendMessages(log, MESSAGES / 2, [hot, ...quiet.slice(0, 1)]);
  const history = new LogHistory({ log, feed: log });
  const read = async (conversationId: string) => {
    const startedMs = performance.now();
    await history.read({ conversationId, limit: 50 }, { fresh: true });
    return performance.now() - startedMs;
  };
  const quietMs: number[] = [];
  for (const id of quiet.slice(1, 1 + PAGES)) quietMs.push(await read(id));
  // What is kept would not be read again: something new is said before each.
  const hotMs: number[] = [];
  for (let n = 0; n < PAGES; n++) {
    await appendMessages(log, 1, [hot]);
    hotMs.push(await read(hot));
  }
  const others = quiet.slice(1 + PAGES, 1 + PAGES + PAGES * 2);
  const startedMs = performance.now();
  const reader = async () => {
    for (let id = others.pop(); id !== undefined; id = others.pop()) await read(id);
  };
  await Promise.all(Array.from({ length: READERS }, reader));
  const perSecond = (2 * PAGES * 1_000) / (performance.now() - startedMs);
  console.log(
    `a page of 50 from a log of ${MESSAGES} messages: quiet conversations ${spread(quietMs)}, ` +
      `one with half of them ${spread(hotMs)}; ${READERS} readers: ${Math.round(perSecond)} pages/s`,
  );
} finally {
  await log.close(1_000);
  await connection.close();
  await servers.stop();
}

function spread(valuesMs: readonly number[]): string {
  const sorted = [...valuesMs].sort((a, b) => a - b);
  const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? Number.NaN).toFixed(1);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`;
}
