import { connect } from 'node:net';
import { io } from 'socket.io-client';
import { openSpeaker } from '../support/conversations.ts';
import { startMeasured } from '../support/measured.ts';
import { RawWebSocket } from '../support/rawWebSocket.ts';
import { startBenchServers } from '../support/servers.ts';

/**
 * Clients that connect, join, say something, leave and close, again and again, some of them vanishing before they are
 * answered, and Socket.IO clients among them: afterwards the edge must hold nothing of them, and its heap be what it was.
 */
const CYCLES = Number(process.env.BENCH_CYCLES ?? 100_000);
const AT_A_TIME = 50;
/** One cycle in this number is a Socket.IO client, which costs the client's side far more. */
const SOCKET_IO_EVERY = 50;
const CONVERSATIONS = 500;
const WARM_UP = Number(process.env.BENCH_WARM_UP ?? 5_000);

const servers = await startBenchServers({ postgres: false });
const speaker = await openSpeaker(servers.natsUrl);
const edge = await startMeasured(new URL('./edgeProcess.js', import.meta.url), [servers.natsUrl]);
const ids: string[] = [];
for (let n = 0; n < CONVERSATIONS; n++) ids.push(await speaker.newConversation());
await speaker.close();
await run(WARM_UP);
await nothingHeld();
const before = await edge.heapBytes();
const startedAt = performance.now();
await run(CYCLES);
const seconds = (performance.now() - startedAt) / 1_000;
await nothingHeld();
// What was read for those who come back is kept for five seconds.
await new Promise((resolve) => setTimeout(resolve, 6_000));
const after = await edge.heapBytes();
const megabytes = (bytes: number) => (bytes / 1_024 ** 2).toFixed(1);
console.log(
  `${CYCLES} clients came and went in ${seconds.toFixed(0)} s: 0 connections, conversations and inboxes held; heap ` +
    `${megabytes(before)} MB before, ${megabytes(after)} MB after (${((after - before) / CYCLES).toFixed(0)} bytes each)`,
);
await edge.stop();
await servers.stop();

async function run(cycles: number): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < cycles) {
      next += 1;
      await cycle(next);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
}

function cycle(n: number): Promise<void> {
  const conversationId = ids[n % CONVERSATIONS] ?? '';
  if (n % SOCKET_IO_EVERY === 0) return socketIo(n, conversationId);
  if (n % 7 === 0) return vanishing(n, conversationId);
  return orderly(n, conversationId);
}

async function orderly(n: number, conversationId: string): Promise<void> {
  let answers = 0;
  let onAnswered = () => {};
  const answered = new Promise<void>((resolve) => {
    onAnswered = resolve;
  });
  const inbox = n % 11 === 0 ? [`{"op":"join","id":4,"conversationId":"*"}`] : [];
  const requests = [
    `{"op":"join","id":1,"conversationId":"${conversationId}"${n % 10 === 0 ? ',"after":0' : ''}}`,
    ...inbox,
    `{"op":"send","id":2,"conversationId":"${conversationId}","clientMessageId":"k${n}","content":"${n}"}`,
    `{"op":"leave","id":3,"conversationId":"${conversationId}"}`,
  ];
  const socket = await RawWebSocket.open(edge.port, `user${n}`, (frames) => {
    answers += frames.filter((frame) => frame.includes('"id":')).length;
    if (answers >= requests.length) onAnswered();
  });
  socket.send(requests);
  await answered;
  socket.close();
}

/** Sends and is gone before anybody can answer. */
function vanishing(n: number, conversationId: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(edge.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.on('close', () => resolve());
    socket.write(
      `GET /ws?userId=gone${n} HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    );
    socket.once('data', () => {
      const joined = n % 2 === 0 ? '*' : conversationId;
      const join = Buffer.from(`{"op":"join","id":1,"conversationId":"${joined}","after":0}`);
      socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | join.length, 0, 0, 0, 0]), join]), () => {
        socket.resetAndDestroy();
      });
    });
  });
}

async function socketIo(n: number, conversationId: string): Promise<void> {
  const transports = n % (2 * SOCKET_IO_EVERY) === 0 ? ['websocket'] : ['polling'];
  const socket = io(`http://127.0.0.1:${edge.port}`, {
    transports,
    auth: { userId: `io${n}` },
    forceNew: true,
  });
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  await socket.emitWithAck('join', { conversationId });
  socket.disconnect();
}

async function nothingHeld(): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const held = await edge.held();
    if (held === 0) return;
    if (performance.now() > deadline)
      throw new Error(`The edge still holds ${held} connections, conversations and inboxes`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
