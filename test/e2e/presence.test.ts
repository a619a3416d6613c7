import { io } from 'socket.io-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Presence } from '../../src/application/presence/presence.ts';
import { newEdgeId } from '../../src/platform/ids.ts';
import { connectNats } from '../../src/platform/nats/connection.ts';
import { NatsSignals } from '../../src/platform/signals/natsSignals.ts';
import { systemClock } from '../../src/platform/time/clock.ts';
import { systemTimers } from '../../src/platform/time/timers.ts';
import { ChatClient } from '../support/edge/chatClient.ts';
import { type RunningSystem, startRunningSystem } from '../support/servers/runningSystem.ts';
import { waitFor } from '../support/time/waitFor.ts';

let system: RunningSystem;

beforeAll(async () => {
  system = await startRunningSystem({ ROLES: 'api,edge' });
});
afterAll(() => system.remove());

const presenceOf = async (userId: string): Promise<string> => {
  const response = await fetch(`${system.apiUrl}/api/chat/presence?userIds=${userId}`);
  const { presence } = (await response.json()) as { presence: Record<string, string> };
  return presence[userId] ?? 'not named';
};

test('a running API knows who is online on the edge of another process', async () => {
  const connection = await connectNats({ url: system.run().nats?.url ?? '', name: 'another process' });
  const signals = new NatsSignals(connection, { onFault: () => {} });
  const presence = new Presence({ signals, clock: systemClock, timers: systemTimers, edgeId: newEdgeId() });
  expect(await presenceOf('dora')).toBe('offline');
  presence.connected('dora');
  await waitFor('dora to be online', async () => (await presenceOf('dora')) === 'online');
  presence.stop();
  await signals.close();
  await connection.close();
  await waitFor('dora to be offline', async () => (await presenceOf('dora')) === 'offline');
});

test('who has a socket open is online, over whichever transport, until the last one is closed', async () => {
  const native = new ChatClient(() => system.edgeUrl, 'erin');
  await native.connect();
  await waitFor('erin to be online', async () => (await presenceOf('erin')) === 'online');
  const url = system.edgeUrl.replace('ws:', 'http:');
  const socket = io(url, { auth: { userId: 'erin' }, transports: ['polling'], reconnection: false });
  await waitFor('the second socket', () => socket.connected);
  native.drop();
  const events = new AbortController();
  const conversation = await newConversation();
  await fetch(`${system.apiUrl}/api/chat/conversations/${conversation}/events?userId=frank`, {
    signal: events.signal,
  });
  await waitFor('frank to be online', async () => (await presenceOf('frank')) === 'online');
  expect(await presenceOf('erin')).toBe('online');
  socket.disconnect();
  events.abort();
  for (const userId of ['erin', 'frank']) {
    await waitFor(`${userId} to be offline`, async () => (await presenceOf(userId)) === 'offline');
  }
});

async function newConversation(): Promise<string> {
  const response = await fetch(`${system.apiUrl}/api/chat/conversations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ userId: 'erin', visibility: 'open' }),
  });
  return ((await response.json()) as { conversation: { id: string } }).conversation.id;
}
