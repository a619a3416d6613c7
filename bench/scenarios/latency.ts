import { setTimeout as delay } from 'node:timers/promises';
import { openSpeaker } from '../support/conversations.ts';
import { startMeasured } from '../support/measured.ts';
import { RawWebSocket } from '../support/rawWebSocket.ts';
import { startBenchServers } from '../support/servers.ts';

/**
 * From sending on one socket to receiving on ten, at 1,000 messages per second into 1,000 sockets spread over 100
 * conversations, everything on the same two cores: edge, nats-server, and one process for all clients, whose clock it is.
 * Wanted: p50 < 3 ms, p99 < 20 ms.
 */
const CONVERSATIONS = 100;
const SOCKETS_EACH = 10;
const MESSAGES_PER_SECOND = Number(process.env.BENCH_RATE ?? 1_000);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 15);
const WARM_UP_SECONDS = 3;

const servers = await startBenchServers({ postgres: false });
const speaker = await openSpeaker(servers.natsUrl);
const edge = await startMeasured(new URL('./edgeProcess.js', import.meta.url), [servers.natsUrl]);
const latenciesMs: number[] = [];
let measuringSince = Number.POSITIVE_INFINITY;
let expected = 0;
const rooms: { conversationId: string; sockets: RawWebSocket[] }[] = [];
for (let n = 0; n < CONVERSATIONS; n++) {
  const conversationId = await speaker.newConversation();
  const sockets = await Promise.all(Array.from({ length: SOCKETS_EACH }, (_, s) => open(`u${n}-${s}`)));
  for (const socket of sockets) socket.send([`{"op":"join","id":1,"conversationId":"${conversationId}"}`]);
  rooms.push({ conversationId, sockets });
}
await speaker.close();
await delay(500);
const startedAt = performance.now();
measuringSince = startedAt + WARM_UP_SECONDS * 1_000;
const total = MESSAGES_PER_SECOND * (SECONDS + WARM_UP_SECONDS);
for (let sent = 0; sent < total; ) {
  const due = Math.min(total, ((performance.now() - startedAt) / 1_000) * MESSAGES_PER_SECOND);
  for (; sent < due; sent++) say(sent);
  await delay(1);
}
await delay(1_000);
latenciesMs.sort((a, b) => a - b);
const at = (share: number) => (latenciesMs[Math.floor(latenciesMs.length * share)] ?? Number.NaN).toFixed(2);
console.log(
  `${MESSAGES_PER_SECOND} messages/s into ${CONVERSATIONS * SOCKETS_EACH} sockets in ${CONVERSATIONS} conversations: ` +
    `${latenciesMs.length} of ${expected} deliveries, send to receive p50 ${at(0.5)} ms (wanted < 3), ` +
    `p99 ${at(0.99)} ms (wanted < 20), p99.9 ${at(0.999)} ms`,
);
for (const { sockets } of rooms) for (const socket of sockets) socket.close();
await edge.stop();
await servers.stop();

/** A message tells when it was sent. */
function say(n: number): void {
  const room = rooms[n % CONVERSATIONS];
  const socket = room?.sockets[Math.floor(n / CONVERSATIONS) % SOCKETS_EACH];
  if (room === undefined || socket === undefined)
    throw new Error('There are as many rooms and sockets as said');
  const now = performance.now();
  if (now >= measuringSince) expected += SOCKETS_EACH;
  const fields = `"conversationId":"${room.conversationId}","clientMessageId":"k${n}","content":"at ${now} ${'x'.repeat(80)}"`;
  socket.send([`{"op":"send","id":${n},${fields}}`]);
}

function open(userId: string): Promise<RawWebSocket> {
  return RawWebSocket.open(edge.port, userId, (frames) => {
    const now = performance.now();
    for (const frame of frames) {
      const sentAt = Number(/"content":"at ([\d.]+) /.exec(frame)?.[1] ?? Number.NaN);
      if (sentAt >= measuringSince) latenciesMs.push(now - sentAt);
    }
  });
}
