import { afterAll, beforeAll, expect, test } from 'vitest';
import { Presence } from '../../src/application/presence.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { newEdgeId } from '../../src/platform/ids.ts';
import { connectNats } from '../../src/platform/nats.ts';
import { NatsSignals } from '../../src/platform/natsSignals.ts';
import { systemTimers } from '../../src/platform/timers.ts';
import { type RunningSystem, startRunningSystem } from '../support/runningSystem.ts';
import { waitFor } from '../support/waitFor.ts';

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
