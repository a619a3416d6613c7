import { openSpeaker } from '../support/conversations.ts';
import { openCrowd } from '../support/crowd.ts';
import { type MeasuredServer, startMeasured } from '../support/measured.ts';
import { startBenchServers } from '../support/servers.ts';

/**
 * Resident memory per connection that does nothing, after a collection of garbage: each kind on a server process of its
 * own. Then as many as one process should hold, at once. Wanted: `/ws` ≤ 4 KB, Socket.IO ≤ 16 KB, 15,000 connections.
 */
const SOCKETS = Number(process.env.BENCH_SOCKETS ?? 10_000);
const MANY = Number(process.env.BENCH_MANY ?? 15_000);
/** A test machine may allow 20,000 files to a process. */
const PER_PROCESS = 5_000;
const IO_PATH = '/socket.io/?EIO=4&transport=websocket';
const IO_HELLO = ['40{"userId":"bench-{n}"}'];

const servers = await startBenchServers({ postgres: false });
const speaker = await openSpeaker(servers.natsUrl);
const conversationId = await speaker.newConversation();
await speaker.close();
const join = `{"op":"join","id":1,"conversationId":"${conversationId}"}`;
const edge = () => startMeasured(new URL('./edgeProcess.js', import.meta.url), [servers.natsUrl]);
const raw = () => startMeasured(new URL('../limits/rawUws.js', import.meta.url));
const stock = () => startMeasured(new URL('../peers/stockSocketIo.js', import.meta.url));

try {
  await report('bare uWebSockets.js', raw, '/ws', ['hi']);
  await report('/ws, wanted ≤ 4', edge, '/ws?userId=bench-{n}', ['{"op":"ping","id":1}']);
  await report('/ws, joined to one conversation', edge, '/ws?userId=bench-{n}', [join]);
  await report('Socket.IO, wanted ≤ 16', edge, IO_PATH, IO_HELLO);
  await report('stock Socket.IO', stock, IO_PATH, IO_HELLO);
  const server = await edge();
  const startedAt = performance.now();
  const crowd = await open(server, '/ws?userId=bench-{n}', ['{"op":"ping","id":1}'], MANY);
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  const megabytes = Math.round((await server.rssBytes()) / 1_024 ** 2);
  console.log(`${MANY} connections on one process: opened in ${seconds} s, ${megabytes} MB resident in all`);
  await crowd.close();
  await server.stop();
} finally {
  await servers.stop();
}

async function report(
  name: string,
  start: () => Promise<MeasuredServer>,
  path: string,
  hello: readonly string[],
): Promise<void> {
  const server = await start();
  // What the first connections of all cost once is not theirs.
  await (await open(server, path, hello, 500)).close();
  const before = await server.rssBytes();
  const crowd = await open(server, path, hello, SOCKETS);
  const each = ((await server.rssBytes()) - before) / SOCKETS / 1_024;
  console.log(`idle connection, ${name}: ${each.toFixed(1)} KB`);
  await crowd.close();
  await server.stop();
}

function open(server: MeasuredServer, path: string, hello: readonly string[], sockets: number) {
  const processes = Math.ceil(sockets / PER_PROCESS);
  return openCrowd({ port: server.port, path, hello, sockets, processes });
}
