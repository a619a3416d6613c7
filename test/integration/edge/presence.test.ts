import type { NatsConnection } from 'nats';
import { expect, test } from 'vitest';
import { Presence } from '../../../src/application/presence/presence.ts';
import { newEdgeId } from '../../../src/platform/ids.ts';
import { connectNats } from '../../../src/platform/nats/connection.ts';
import { NatsSignals } from '../../../src/platform/signals/natsSignals.ts';
import { systemClock } from '../../../src/platform/time/clock.ts';
import { systemTimers } from '../../../src/platform/time/timers.ts';
import type { SignalFault } from '../../../src/ports/signals.ts';
import type { Timers } from '../../../src/ports/timers.ts';
import { C1 } from '../../support/domain/conversations.ts';
import { startTestNats } from '../../support/servers/nats.ts';
import type { TestServer } from '../../support/servers/testServer.ts';
import { waitFor } from '../../support/time/waitFor.ts';

/** In which no round comes by itself: what others know, they were told by a change or because somebody asked. */
const withoutRounds: Timers = {
  after: (delayMs, run) => (delayMs > 10_000 ? () => {} : systemTimers.after(delayMs, run)),
};

/** What one process has, wired as the composition root does. */
async function startProcess(server: TestServer, timers: Timers = systemTimers) {
  const events: string[] = [];
  const connection = await connectNats({
    url: server.url,
    name: 'test',
    onEvent: ({ type }) => events.push(type),
  });
  const started: { presence?: Presence } = {};
  const faults: SignalFault[] = [];
  const signals = new NatsSignals(connection, {
    onFault: (fault) => faults.push(fault),
    onReconnect: () => started.presence?.refresh(),
  });
  const presence = new Presence({ signals, clock: systemClock, timers, edgeId: newEdgeId() });
  started.presence = presence;
  const stop = async () => {
    presence.stop();
    await signals.close();
    await connection.close();
  };
  return { presence, signals, faults, events, connection, stop };
}

async function withServer(work: (server: TestServer) => Promise<void>): Promise<void> {
  const server = await startTestNats();
  try {
    await work(server);
  } finally {
    await server.stop();
  }
}

test('processes know of each other who is online, also one that starts later, and of one that stops', () =>
  withServer(async (server) => {
    const [one, two] = await Promise.all([startProcess(server), startProcess(server)]);
    one.presence.connected('alice');
    two.presence.connected('bob');
    await waitFor('each to know of the other', () => {
      return one.presence.isOnline('bob') && two.presence.isOnline('alice');
    });
    const late = await startProcess(server);
    await waitFor('the late one to know of both', () => {
      return late.presence.isOnline('alice') && late.presence.isOnline('bob');
    });
    one.presence.disconnected('alice');
    await waitFor(
      'alice to be gone',
      () => !two.presence.isOnline('alice') && !late.presence.isOnline('alice'),
    );
    // Long before it would count as gone: its last words got out before its connection was closed.
    await two.stop();
    await waitFor('bob to be gone', () => !one.presence.isOnline('bob') && !late.presence.isOnline('bob'));
    await Promise.all([one.stop(), late.stop()]);
  }));

test('after the server was killed and is back, all agree on what happened meanwhile', () =>
  withServer(async (server) => {
    const [one, two] = await Promise.all([
      startProcess(server, withoutRounds),
      startProcess(server, withoutRounds),
    ]);
    for (const user of ['alice', 'carol']) one.presence.connected(user);
    await waitFor('two to know', () => two.presence.isOnline('alice') && two.presence.isOnline('carol'));
    await server.kill9();
    await waitFor('both to notice', () =>
      [one, two].every(({ events }) => events.includes('natsDisconnected')),
    );
    one.presence.disconnected('alice');
    one.presence.connected('dave');
    two.presence.connected('erin');
    await waitFor('the changes to be dropped', () =>
      [one, two].every(({ faults }) => faults.some(({ kind }) => kind === 'notSent')),
    );
    expect(two.presence.isOnline('carol')).toBe(true);
    await server.restart();
    const seen = (presence: Presence) =>
      ['alice', 'carol', 'dave', 'erin'].filter((user) => presence.isOnline(user));
    // A reconnect makes everybody ask and tell.
    await waitFor('both to agree', () =>
      [one, two].every(({ presence }) => seen(presence).join() === 'carol,dave,erin'),
    );
    await Promise.all([one.stop(), two.stop()]);
  }));

test('a server that is frozen is sent no more than the bound, and all goes on when it wakes', () =>
  withServer(async (server) => {
    const connection: NatsConnection = await connectNats({ url: server.url, name: 'test' });
    const faults: SignalFault[] = [];
    const signals = new NatsSignals(connection, {
      onFault: (fault) => faults.push(fault),
      unconfirmedMax: 100,
    });
    let received = 0;
    signals.subscribe(() => {
      received += 1;
    });
    await connection.flush();
    server.freeze();
    for (let n = 0; n < 250; n++) signals.publish({ type: 'typing', conversationId: C1, userId: 'alice' });
    expect(faults.map(({ kind }) => kind)).toEqual(Array(150).fill('notSent'));
    server.thaw();
    await waitFor('what was sent', () => received === 100);
    await waitFor('signals to pass again', () => {
      signals.publish({ type: 'typing', conversationId: C1, userId: 'alice' });
      return received > 200;
    });
    await signals.close();
    await connection.close();
  }));
