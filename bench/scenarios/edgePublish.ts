import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { ConversationStore } from '../../src/application/conversationStore.ts';
import { createConversation } from '../../src/application/createConversation.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { systemIds } from '../../src/platform/ids.ts';
import { barePipelinedPublish } from '../limits/pipelinedPublish.ts';
import { openBenchLog } from '../support/log.ts';
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

/** As in package.json's start script: what is in flight should die young. */
const NODE_FLAGS = ['--max-semi-space-size=64', '--min-semi-space-size=32'];

const servers = await startBenchServers({ postgres: false });
const edge = fork(new URL('./edgeProcess.js', import.meta.url), [servers.natsUrl], { execArgv: NODE_FLAGS });
try {
  const [{ port }] = (await once(edge, 'message')) as [{ port: number }];
  const conversationId = await newConversation();
  const ratios: number[] = [];
  // Round 0 lets both warm up and does not count.
  for (let round = 0; round <= ROUNDS; round++) {
    const limit = await barePipelinedPublish(servers.natsUrl, {
      messages: MESSAGES,
      inFlight: 1_024,
      bytes: 320,
    });
    const before = await edgeCpuMs(edge);
    const rate = await throughEdge(port, conversationId, round);
    const cpuMicroseconds = ((await edgeCpuMs(edge)) - before) * 1_000;
    if (round > 0) ratios.push(rate / limit);
    console.log(
      `round ${round}: bare ${Math.round(limit)}/s, edge ${Math.round(rate)}/s, ratio ${(rate / limit).toFixed(2)}, ` +
        `edge CPU ${(cpuMicroseconds / MESSAGES).toFixed(1)} µs per message`,
    );
  }
  const best = Math.max(...ratios).toFixed(2);
  const median = ratios.sort((a, b) => a - b)[Math.floor(ratios.length / 2)]?.toFixed(2);
  console.log(`edge publish: median ratio ${median}, best ${best} (wanted ≥ 0.5)`);
} finally {
  edge.disconnect();
  await servers.stop();
}

async function newConversation(): Promise<string> {
  const { log, connection } = await openBenchLog(servers.natsUrl);
  const context = {
    log,
    feed: log,
    conversations: new ConversationStore(log),
    clock: systemClock,
    ids: systemIds,
  };
  const request = { userId: 'bench', title: null, visibility: 'open', participantIds: [] } as const;
  const { conversationId } = await createConversation(context, request);
  await log.close(1_000);
  await connection.close();
  return conversationId;
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

async function edgeCpuMs(child: ChildProcess): Promise<number> {
  child.send('cpu?');
  const [{ cpu }] = (await once(child, 'message')) as [{ cpu: NodeJS.CpuUsage }];
  return (cpu.user + cpu.system) / 1_000;
}
