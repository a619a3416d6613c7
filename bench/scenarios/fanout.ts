import { median, openSpeaker } from '../support/conversations.ts';
import { type Crowd, openCrowd } from '../support/crowd.ts';
import { type MeasuredServer, startMeasured } from '../support/measured.ts';
import { startBenchServers } from '../support/servers.ts';

/**
 * Deliveries to 1,000 sockets in one conversation, per second of the server's processor time, against a bare uWebSockets.js
 * `publish` of frames of the same size, in turns. The edges get their events through the log, and what that costs them is in
 * the figure. Wanted: `/ws` ≥ 0.85, Socket.IO ≥ 0.7 and ≥ 5 × stock Socket.IO.
 */
const SOCKETS = Number(process.env.BENCH_SOCKETS ?? 1_000);
const MESSAGES = Number(process.env.BENCH_MESSAGES ?? 2_000);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
/** Sent together, then waited for: no socket is ever far behind. */
const BURST = 100;
const CONTENT = 'x'.repeat(100);
/** An event frame of the native protocol with this content. */
const FRAME_BYTES = 385;

const servers = await startBenchServers({ postgres: false });
const speaker = await openSpeaker(servers.natsUrl);
const conversationId = await speaker.newConversation();
const join = `{"op":"join","id":1,"conversationId":"${conversationId}"}`;
const joinIo = [`40{"userId":"bench"}`, `420["join",{"conversationId":"${conversationId}"}]`];
const speak = async (count: number) => {
  await Promise.all(Array.from({ length: count }, () => speaker.say(conversationId, CONTENT)));
};

const raw = await startMeasured(new URL('../limits/rawUws.js', import.meta.url));
const edge = await startMeasured(new URL('./edgeProcess.js', import.meta.url), [servers.natsUrl]);
const stock = await startMeasured(new URL('../peers/stockSocketIo.js', import.meta.url));
const event = {
  ...JSON.parse(`{"conversationId":"${conversationId}"}`),
  type: 'MessagePosted',
  content: CONTENT,
};
const filler = 'x'.repeat(180);

const runs = {
  raw: {
    server: raw,
    path: '/ws',
    hello: ['hi'],
    speak: async (count: number) => raw.tell({ publish: count, bytes: FRAME_BYTES }),
  },
  native: { server: edge, path: '/ws?userId={n}', hello: [join], speak },
  socketIo: { server: edge, path: '/socket.io/?EIO=4&transport=websocket', hello: joinIo, speak },
  stock: {
    server: stock,
    path: '/socket.io/?EIO=4&transport=websocket',
    hello: joinIo,
    speak: async (count: number) =>
      stock.tell({ publish: count, room: conversationId, event: { ...event, filler } }),
  },
};
type Name = keyof typeof runs;
const figures: Record<Name, number[]> = { raw: [], native: [], socketIo: [], stock: [] };
try {
  for (let round = 0; round <= ROUNDS; round++) {
    for (const name of Object.keys(runs) as Name[]) {
      const perSecond = await measure(runs[name]);
      // Round 0 lets all of them warm up.
      if (round > 0) figures[name].push(perSecond);
    }
  }
  const [bare, native, socketIo, peer] = (['raw', 'native', 'socketIo', 'stock'] as const).map((name) =>
    median(figures[name]),
  );
  if (bare === undefined || native === undefined || socketIo === undefined || peer === undefined)
    throw new Error('No figures');
  const thousands = (value: number) => `${Math.round(value / 1_000)} k`;
  console.log(
    `fan-out to ${SOCKETS} sockets, deliveries per CPU second: bare ${thousands(bare)}, /ws ${thousands(native)} ` +
      `(ratio ${(native / bare).toFixed(2)}, wanted ≥ 0.85), Socket.IO ${thousands(socketIo)} ` +
      `(ratio ${(socketIo / bare).toFixed(2)}, wanted ≥ 0.7; ${(socketIo / peer).toFixed(1)} × stock ${thousands(peer)}, wanted ≥ 5)`,
  );
} finally {
  await speaker.close();
  for (const server of [raw, edge, stock]) await server.stop();
  await servers.stop();
}

async function measure(run: {
  server: MeasuredServer;
  path: string;
  hello: readonly string[];
  speak: (count: number) => Promise<void>;
}): Promise<number> {
  const { server, path, hello } = run;
  const crowd: Crowd = await openCrowd({ port: server.port, path, sockets: SOCKETS, hello });
  const start = await crowd.frames();
  const before = await server.cpuSeconds();
  for (let sent = BURST; sent <= MESSAGES; sent += BURST) {
    await run.speak(BURST);
    await crowd.received(start + sent * SOCKETS);
  }
  const after = await server.cpuSeconds();
  await crowd.close();
  return (MESSAGES * SOCKETS) / (after - before);
}
