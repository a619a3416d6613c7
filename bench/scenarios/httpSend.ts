import { startApiServer } from '../support/apiServer.ts';
import { askSteadily, quantile } from '../support/httpLoad.ts';
import { inTurns } from '../support/inTurns.ts';
import { startMeasured } from '../support/measured.ts';
import { newConversations, posting } from '../support/posting.ts';
import { startBenchServers } from '../support/servers.ts';

/**
 * Messages posted over HTTP to one API process and acknowledged by the log, against a bare Express handler that checks with
 * zod and publishes, in the same run, in turns. Wanted: ≥ 0.6. Then how long a message takes at half of the API's rate.
 * Wanted: p99 < 25 ms. nats-server and the load generator share the two cores with either.
 */
const MESSAGES = Number(process.env.BENCH_MESSAGES ?? 20_000);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 10);
const CONVERSATIONS = 100;
const CONNECTIONS = 64;
/** More than are ever busy at half of the rate: a message waits for the server, not for a connection. */
const STEADY_CONNECTIONS = 256;

const servers = await startBenchServers({ postgres: true });
const conversationIds = await newConversations(servers.natsUrl, CONVERSATIONS);
const api = await startApiServer(servers);
const bare = await startMeasured(new URL('../limits/barePost.js', import.meta.url), [servers.natsUrl]);
try {
  const load = (round: number) => {
    const request = posting(conversationIds, `round${round}`);
    return { connections: CONNECTIONS, requests: MESSAGES, request, status: 201 };
  };
  const turns = [
    { name: 'API', server: api, load },
    { name: 'bare', server: bare, load },
  ];
  const figures = await inTurns(turns, ROUNDS);
  const ratio = figures.get('bare')?.ratio ?? Number.NaN;
  console.log(`HTTP send: median ratio ${ratio.toFixed(2)} (wanted ≥ 0.6)`);

  const perSecond = Math.round((figures.get('API')?.perSecond ?? 0) / 2);
  const requests = perSecond * SECONDS;
  const request = posting(conversationIds, 'steady');
  const steady = { port: api.port, connections: STEADY_CONNECTIONS, requests, request, status: 201 };
  const took = await askSteadily({ ...steady, perSecond });
  const ms = (share: number) => quantile(took, share).toFixed(1);
  console.log(
    `HTTP send: at ${perSecond}/s p50 ${ms(0.5)} ms, p99 ${ms(0.99)} ms, p99.9 ${ms(0.999)} ms (wanted p99 < 25 ms)`,
  );
} finally {
  await api.stop();
  await bare.stop();
  await servers.stop();
}
