import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import WebSocket from 'ws';
import { ChatClient, type RoomEvent } from '../../client/src/index.ts';
import { createConversation } from '../../src/application/commands/createConversation.ts';
import { decodeEvent } from '../../src/contracts/events/events.ts';
import { freePort } from '../../src/platform/embedded/keptPort.ts';
import { readEvents } from '../../src/ports/readEvents.ts';
import { applicationOn } from '../support/application/application.ts';
import { type OpenedLog, openTestLog } from '../support/eventlog/jetStreamLog.ts';
import { makeTempFolder } from '../support/run/testRun.ts';
import { startTestNats } from '../support/servers/nats.ts';
import { launchRole, type RoleProcess, untilRunning } from '../support/servers/roleProcess.ts';
import { exitCode } from '../support/servers/runningSystem.ts';
import type { TestServer } from '../support/servers/testServer.ts';
import { waitFor } from '../support/time/waitFor.ts';

let nats: TestServer;
let opened: OpenedLog;
let port: number;
let edges: RoleProcess[] = [];
const dataDir = makeTempFolder('edges');

beforeAll(async () => {
  nats = await startTestNats();
  opened = await openTestLog(nats.url);
  port = await freePort();
  edges = [startEdgeProcess(), startEdgeProcess()];
  await Promise.all(edges.map(untilRunning));
});

afterAll(async () => {
  await Promise.all(edges.map(stop));
  await opened.close();
  await nats.stop();
  rmSync(dataDir, { recursive: true });
});

/** The real process in the role `edge`, on the port that all share. */
function startEdgeProcess(): RoleProcess {
  return launchRole('edge', {
    NATS_URL: nats.url,
    EDGE_PORT: String(port),
    HOST: '127.0.0.1',
    CHAT_DATA_DIR: dataDir,
  });
}

async function stop(edge: RoleProcess): Promise<void> {
  edge.child.kill('SIGTERM');
  expect(await exitCode(edge.child)).toBe(0);
}

test('a rolling restart of two edge processes under load loses and repeats nothing', async () => {
  const wanted = { userId: 'alice', title: null, visibility: 'open', participantIds: [] } as const;
  const { conversationId } = await createConversation(applicationOn(opened), wanted);
  const chats = Array.from(
    { length: 24 },
    (_, n) =>
      new ChatClient({
        url: `ws://127.0.0.1:${port}`,
        userId: `user${n}`,
        WebSocket,
        sendDeadlineMs: 300_000,
      }),
  );
  const seen = chats.map((): RoomEvent[] => []);
  const rooms = chats.map((chat, n) => {
    const room = chat.join(conversationId, { after: 0 });
    room.on('event', (event) => seen[n]?.push(event));
    room.on('resync', () => expect.unreachable('nothing may be missing'));
    return room;
  });
  await waitFor('all to be live', () => rooms.every(({ state }) => state === 'live'));
  const sent: { content: string; settled: Promise<unknown> }[] = [];
  let sending = true;
  const writers = rooms.slice(0, 6).map(async (room, writer) => {
    for (let n = 0; sending; n++) {
      const message = room.send(`${writer}:${n}`);
      sent.push({ content: message.content, settled: message.settled });
      // About a thousand messages a second in all, also while nobody answers.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });
  for (const n of [0, 1]) {
    const old = edges[n];
    if (old === undefined) throw new Error('Two edges were started');
    const enough = sent.length + 200;
    await waitFor('some messages to be under way', () => sent.length > enough);
    await stop(old);
    edges[n] = startEdgeProcess();
    await untilRunning(edges[n]);
  }
  sending = false;
  await Promise.all(writers);
  await Promise.all(sent.map(({ settled }) => settled));

  const { lastSeq } = await opened.log.status();
  const stored: { seq: number; content: string }[] = [];
  for await (const { seq, bytes } of readEvents(opened.log, {
    conversationId,
    after: 0,
    until: lastSeq,
  })) {
    const event = decodeEvent(bytes, seq);
    stored.push({ seq, content: event.type === 'MessagePosted' ? event.content : '' });
  }
  expect(stored.map(({ content }) => content).sort()).toEqual(
    ['', ...sent.map(({ content }) => content)].sort(),
  );
  for (const events of seen) {
    await waitFor('everybody to see the last', () => events.at(-1)?.seq === stored.at(-1)?.seq);
    expect(events.map(({ seq }) => seq)).toEqual(stored.map(({ seq }) => seq));
  }
  for (const chat of chats) chat.close();
});
