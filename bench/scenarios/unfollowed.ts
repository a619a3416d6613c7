import { Hub } from '../../src/edge/hub.ts';
import { ReplayBuffer } from '../../src/edge/resume/replayBuffer.ts';
import { median, openSpeaker } from '../support/conversations.ts';
import { type MeasuredServer, startMeasured } from '../support/measured.ts';
import { startBenchServers } from '../support/servers.ts';

/**
 * What an event costs an edge at which nobody follows its conversation: processor time per event, beside that of a process
 * which only reads the log, and of the hub alone. Wanted: < 3 µs.
 */
const MESSAGES = Number(process.env.BENCH_MESSAGES ?? 100_000);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const IN_FLIGHT = 2_000;
const CONVERSATIONS = 1_000;
const CONTENT = 'x'.repeat(100);

const servers = await startBenchServers({ postgres: false });
const speaker = await openSpeaker(servers.natsUrl);
const edge = await startMeasured(new URL('./edgeProcess.js', import.meta.url), [servers.natsUrl]);
const bare = await startMeasured(new URL('../limits/bareReader.js', import.meta.url), [servers.natsUrl]);
const ids: string[] = [];
for (let n = 0; n < CONVERSATIONS; n++) ids.push(await speaker.newConversation());
const costs: { edge: number[]; bare: number[] } = { edge: [], bare: [] };
for (let round = 0; round <= ROUNDS; round++) {
  const before = await Promise.all([edge, bare].map((server) => server.cpuSeconds()));
  for (let sent = 0; sent < MESSAGES; sent += IN_FLIGHT) {
    await Promise.all(
      Array.from({ length: IN_FLIGHT }, (_, n) =>
        speaker.say(ids[(sent + n) % CONVERSATIONS] ?? '', CONTENT),
      ),
    );
  }
  const after = await settled([edge, bare]);
  if (round === 0) continue;
  costs.edge.push((((after[0] ?? 0) - (before[0] ?? 0)) / MESSAGES) * 1e6);
  costs.bare.push((((after[1] ?? 0) - (before[1] ?? 0)) / MESSAGES) * 1e6);
}
await speaker.close();
await edge.stop();
await bare.stop();
await servers.stop();
const [whole, reading] = [median(costs.edge), median(costs.bare)];
console.log(
  `an event that nobody follows: edge ${whole.toFixed(2)} µs, of which reading ${reading.toFixed(2)} µs, the edge's own ` +
    `${(whole - reading).toFixed(2)} µs (wanted < 3); the hub alone ${hubAlone().toFixed(2)} µs`,
);

/** The log's end has been read when the processor time stands still. */
async function settled(processes: readonly MeasuredServer[]): Promise<number[]> {
  let last: number[] = [];
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    const now = await Promise.all(processes.map((server) => server.cpuSeconds()));
    if (now.every((value, n) => value - (last[n] ?? 0) < 0.01)) return now;
    last = now;
  }
}

function hubAlone(): number {
  const recent = new ReplayBuffer({ eventsMax: 16_384, bytesMax: 32 * 1_024 ** 2 });
  recent.begin(1);
  const hub = new Hub({ recent, readHead: async () => 0 });
  const bytes = Buffer.from(CONTENT.repeat(3));
  const events = 2_000_000;
  const startedAt = performance.now();
  for (let seq = 1; seq <= events; seq++) {
    const conversationId = ids[seq % CONVERSATIONS] ?? '';
    hub.accept({ seq, conversationId, category: 'message', bytes, storedAtMs: 0 });
  }
  return ((performance.now() - startedAt) * 1_000) / events;
}
