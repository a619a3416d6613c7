import { readFile } from 'node:fs/promises';
import { projectRootUrl } from '../../src/platform/embedded/projectRootUrl.ts';
import { generateClassicClient } from '../peers/classic/generate.ts';
import { startApiServer } from '../support/apiServer.ts';
import { inTurns } from '../support/inTurns.ts';
import { startMeasured } from '../support/measured.ts';
import { newConversations, posting } from '../support/posting.ts';
import { openBenchDatabase } from '../support/projecting.ts';
import { startProjectorProcess } from '../support/projectorProcess.ts';
import { startBenchServers } from '../support/servers.ts';

/**
 * Messages posted over HTTP to one API process, against the classic stack: one process of Express and Prisma with an insert
 * for each message, on the same Postgres with its default durability, in the same run, in turns. Wanted: ≥ 5 ×. With
 * `BENCH_PROJECTOR=1` a projector writes all read models meanwhile.
 */
const MESSAGES = Number(process.env.BENCH_MESSAGES ?? 15_000);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const CONVERSATIONS = 100;
const CONNECTIONS = 64;
/** The peer gets fewer, so that its turn does not take five times as long. */
const SHARE_OF_PEER = 5;

generateClassicClient();
const servers = await startBenchServers({ postgres: true });
const conversationIds = await newConversations(servers.natsUrl, CONVERSATIONS);
await makeTables(servers.databaseUrl);
const api = await startApiServer(servers);
const classic = await startMeasured(new URL('../peers/classic/classicApi.js', import.meta.url), [
  servers.databaseUrl,
]);
const stopProjector = process.env.BENCH_PROJECTOR ? startProjectorProcess(servers) : async () => {};
try {
  const load = (requests: number) => (round: number) => {
    const request = posting(conversationIds, `round${round}`);
    return { connections: CONNECTIONS, requests, request, status: 201 };
  };
  const turns = [
    { name: 'API', server: api, load: load(MESSAGES) },
    { name: 'classic', server: classic, load: load(MESSAGES / SHARE_OF_PEER) },
  ];
  const figures = await inTurns(turns, ROUNDS);
  const ratio = figures.get('classic')?.ratio ?? Number.NaN;
  console.log(`classic stack: median ratio ${ratio.toFixed(1)} (wanted ≥ 5)`);
} finally {
  await stopProjector();
  await api.stop();
  await classic.stop();
  await servers.stop();
}

async function makeTables(databaseUrl: string): Promise<void> {
  const pool = await openBenchDatabase(databaseUrl);
  await pool.query(await readFile(new URL('bench/peers/classic/schema.sql', projectRootUrl()), 'utf8'));
  const rows = 'INSERT INTO classic_conversations (id, participant_ids) SELECT unnest($1::text[]), $2';
  await pool.query(rows, [conversationIds, ['bench']]);
  await pool.end();
}
