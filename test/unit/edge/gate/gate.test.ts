import { expect, test } from 'vitest';
import type { EdgeEvent, TransportName } from '../../../../src/edge/edgeEvents.ts';
import { Gate, type GateOptions } from '../../../../src/edge/gate/gate.ts';
import { ManualTime } from '../../../support/time/manualTime.ts';

const HOME = 'https://chat.example.org';
const FOREIGN = 'https://evil.example.net';
const TRANSPORTS: TransportName[] = ['websocket', 'socketio-polling', 'sse'];

function openGate(options: Partial<GateOptions> = {}) {
  const events: EdgeEvent[] = [];
  const clock = new ManualTime();
  const limits = { connectionsMax: 100, connectsPerSecondMax: 100, allowedOrigins: [HOME] };
  const gate = new Gate({ ...limits, clock, onEvent: (event) => events.push(event), ...options });
  /** What a newcomer is answered: `in`, or the code of the error. */
  const ask = (transport: TransportName, origin = '') => gate.admit({ transport, origin })?.code ?? 'in';
  return { gate, clock, events, ask };
}

test.each(TRANSPORTS)('%s: the page is asked for first, then whether there is room', (transport) => {
  const { gate, ask } = openGate({ connectsPerSecondMax: 1 });
  // A page that may not connect spends nothing of the rate.
  expect([ask(transport, FOREIGN), ask(transport, HOME), ask(transport, HOME)]).toEqual([
    'forbidden',
    'in',
    'overloaded',
  ]);
  gate.drain();
  expect([ask(transport, FOREIGN), ask(transport, HOME)]).toEqual(['forbidden', 'overloaded']);
});

test('connections of all transports count together', () => {
  const { gate, ask } = openGate({ connectionsMax: 3 });
  const counts = TRANSPORTS.map(() => ({ connections: 0 }));
  for (const count of counts) gate.count(() => count.connections);
  for (const [n, transport] of TRANSPORTS.entries()) {
    expect(ask(transport)).toBe('in');
    const count = counts[n];
    if (count !== undefined) count.connections += 1;
  }
  expect(gate.connections).toBe(3);
  expect(TRANSPORTS.map((transport) => ask(transport))).toEqual(['overloaded', 'overloaded', 'overloaded']);
  if (counts[2] !== undefined) counts[2].connections = 0;
  expect(ask('websocket')).toBe('in');
});

test('connections that are opened spend one rate, by whatever transport', async () => {
  const { clock, ask } = openGate({ connectsPerSecondMax: 2 });
  expect(TRANSPORTS.map((transport) => ask(transport))).toEqual(['in', 'in', 'overloaded']);
  await clock.advance(500);
  expect([ask('sse'), ask('websocket')]).toEqual(['in', 'overloaded']);
});

test('a request of a connection that was let in takes no room, but its page is asked for', () => {
  const { gate, ask } = openGate({ connectsPerSecondMax: 1 });
  expect(ask('socketio-polling')).toBe('in');
  gate.drain();
  expect(gate.readmit({ transport: 'socketio-polling', origin: HOME })).toBeNull();
  expect(gate.readmit({ transport: 'socketio-polling', origin: FOREIGN })?.code).toBe('forbidden');
});

test('each refusal is reported once, with its transport and code, and says when to come back', () => {
  const { gate, events, ask } = openGate({ connectionsMax: 0 });
  ask('websocket', FOREIGN);
  const refusal = gate.admit({ transport: 'sse', origin: '' });
  expect(refusal).toMatchObject({ code: 'overloaded', retryAfterMs: expect.any(Number) });
  expect(events).toEqual([
    { type: 'refused', transport: 'websocket', reason: 'forbidden' },
    { type: 'refused', transport: 'sse', reason: 'overloaded' },
  ]);
});
