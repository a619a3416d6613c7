import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { openSpeaker } from '../support/conversations.ts';
import { startMeasured } from '../support/measured.ts';
import { startBenchServers } from '../support/servers.ts';
import type { StormOrder, StormReport } from '../support/stormProcess.ts';

/**
 * 10,000 clients lose their connections at once and all come back at once, while people go on talking: until every one of
 * them is joined again and has what it missed, against the time that a bare uWebSockets.js takes to accept as many from
 * the same processes. Every client checks every link. Wanted: < 2 times, nothing lost or repeated.
 */
const CLIENTS = Number(process.env.BENCH_CLIENTS ?? 10_000);
const PROCESSES = 2;
const CONVERSATIONS = 100;
const MESSAGES_PER_SECOND = 200;
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);

const servers = await startBenchServers({ postgres: false });
const speaker = await openSpeaker(servers.natsUrl);
const edge = await startMeasured(new URL('./edgeProcess.js', import.meta.url), [servers.natsUrl]);
const raw = await startMeasured(new URL('../limits/rawUws.js', import.meta.url));
const crowds = Array.from({ length: PROCESSES }, () =>
  fork(new URL('../support/stormProcess.js', import.meta.url)),
);
const conversationIds: string[] = [];
const lastSeqs = new Map<string, number>();
for (let n = 0; n < CONVERSATIONS; n++) conversationIds.push(await speaker.newConversation());
const each = { clients: CLIENTS / PROCESSES };
const ratios: number[] = [];
let talking = true;
const talk = (async () => {
  for (let n = 0; talking; n++) {
    await say(conversationIds[n % CONVERSATIONS] ?? '');
    await delay(1_000 / MESSAGES_PER_SECOND);
  }
})();
await all({ do: 'connect', port: edge.port, conversationIds, ...each });
for (let round = 1; round <= ROUNDS; round++) {
  const bareSeconds = await timed(() => all({ do: 'accept', port: raw.port, ...each }));
  // Both kinds of sockets are dropped here; the bare ones were only there to be counted.
  await all({ do: 'drop' });
  await delay(300);
  const seconds = await timed(() => all({ do: 'connect', port: edge.port, conversationIds, ...each }));
  ratios.push(seconds / bareSeconds);
  console.log(
    `storm ${round}: ${CLIENTS} clients accepted bare in ${bareSeconds.toFixed(2)} s, back and joined in ` +
      `${seconds.toFixed(2)} s, ratio ${(seconds / bareSeconds).toFixed(2)}`,
  );
}
talking = false;
await talk;
await Promise.all(conversationIds.map(say));
const { faults, behind } = await settled();
console.log(
  `storm: best ratio ${Math.min(...ratios).toFixed(2)}, worst ${Math.max(...ratios).toFixed(2)} (wanted < 2); ` +
    `${faults} gaps or repeats, ${behind} conversations with clients that lack something (wanted: none)`,
);
for (const crowd of crowds) crowd.disconnect();
await speaker.close();
await edge.stop();
await raw.stop();
await servers.stop();

async function say(conversationId: string): Promise<void> {
  const { seq } = await speaker.say(conversationId, 'x'.repeat(100));
  lastSeqs.set(conversationId, Math.max(seq, lastSeqs.get(conversationId) ?? 0));
}

function all(order: StormOrder): Promise<unknown[]> {
  return Promise.all(crowds.map((crowd) => ask(crowd, order)));
}

async function ask(crowd: ChildProcess, order: StormOrder): Promise<unknown> {
  crowd.send(order);
  const [answer] = await once(crowd, 'message');
  return answer;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1_000;
}

/** What is missing when the last messages have had ten seconds to arrive. */
async function settled(): Promise<{ faults: number; behind: number }> {
  for (let looks = 0; ; looks++) {
    const reports = (await all({ do: 'report' })) as StormReport[];
    const faults = reports.reduce((sum, report) => sum + report.faults, 0);
    const behind = conversationIds.filter((id) =>
      reports.some(({ lastSeqs: seen }) => seen[id]?.some((seq) => seq !== lastSeqs.get(id))),
    ).length;
    if (behind === 0 || looks === 100) return { faults, behind };
    await delay(100);
  }
}
