import { barePipelinedPublish } from '../limits/pipelinedPublish.ts';
import { median, openSpeaker } from '../support/conversations.ts';
import { startMeasured } from '../support/measured.ts';
import { RawWebSocket } from '../support/rawWebSocket.ts';
import { startBenchServers } from '../support/servers.ts';

/**
 * Durable publishes acknowledged over one WebSocket edge process, against a bare pipelined publisher with an ordered
 * tail, in the same run, in turns. Wanted: ≥ 0.5. The load generator shares the two cores with edge and nats-server;
 * the bare limit has no load generator.
 */
const MESSAGES = Number(process.env.BENCH_MESSAGES ?? 200_000);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const SOCKETS = 8;
const IN_FLIGHT_PER_SOCKET = 128;
/** Makes a stored event of about 330 bytes, here and in the bare limit. */
const CONTENT = 'x'.repeat(100);

const servers = await startBenchServers({ postgres: false });
const edge = await startMeasured(new URL('./edgeProcess.js', import.meta.url), [servers.natsUrl]);
try {
  const speaker = await openSpeaker(servers.natsUrl);
  const conversationId = await speaker.newConversation();
  await speaker.close();
  const ratios: number[] = [];
  // Round 0 lets both warm up and does not count.
  for (let round = 0; round <= ROUNDS; round++) {
    const limit = await barePipelinedPublish(servers.natsUrl, {
      messages: MESSAGES,
      inFlight: 1_024,
      bytes: 320,
    });
    const before = await edge.cpuSeconds();
    const rate = await throughEdge(edge.port, conversationId, round);
    const cpuMicroseconds = ((await edge.cpuSeconds()) - before) * 1e6;
    if (round > 0) ratios.push(rate / limit);
    console.log(
      `round ${round}: bare ${Math.round(limit)}/s, edge ${Math.round(rate)}/s, ratio ${(rate / limit).toFixed(2)}, ` +
        `edge CPU ${(cpuMicroseconds / MESSAGES).toFixed(1)} µs per message`,
    );
  }
  const best = Math.max(...ratios).toFixed(2);
  console.log(`edge publish: median ratio ${median(ratios).toFixed(2)}, best ${best} (wanted ≥ 0.5)`);
} finally {
  await edge.stop();
  await servers.stop();
}

async function throughEdge(port: number, conversationId: string, round: number): Promise<number> {
  const each = MESSAGES / SOCKETS;
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: SOCKETS }, (_, n) => sender(port, conversationId, `r${round}s${n}`, each)),
  );
  return MESSAGES / ((performance.now() - startedAt) / 1_000);
}

async function sender(port: number, conversationId: string, name: string, messages: number): Promise<void> {
  let sent = 0;
  let acked = 0;
  let finish = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const next = (count: number) =>
    Array.from({ length: Math.min(count, messages - sent) }, () => {
      sent += 1;
      const fields = `"conversationId":"${conversationId}","clientMessageId":"${name}-${sent}","content":"${CONTENT}"`;
      return `{"op":"send","id":${sent},${fields}}`;
    });
  const socket = await RawWebSocket.open(port, name, (frames) => {
    const refused = frames.find((frame) => !frame.startsWith('{"op":"ack"'));
    if (refused !== undefined) throw new Error(`The edge did not acknowledge: ${refused}`);
    acked += frames.length;
    const texts = next(frames.length);
    if (texts.length > 0) socket.send(texts);
    if (acked === messages) finish();
  });
  socket.send(next(IN_FLIGHT_PER_SOCKET));
  await finished;
  socket.close();
}
