import { expect, it } from 'vitest';
import { observeLifecycle } from '../../../support/observability/observedLifecycle.ts';

it('logs that the log is away and that it is back, and nothing of the probes in between', () => {
  const { lifecycle, lines } = observeLifecycle();
  const path = [
    'available',
    'suspect',
    'unavailable',
    'probing',
    'unavailable',
    'probing',
    'available',
  ] as const;
  for (const [index, to] of path.entries()) {
    const from = path[index - 1];
    if (from !== undefined) lifecycle.log({ type: 'logState', from, to });
  }
  expect(lines).toMatchObject([
    { level: 50, component: 'log', msg: 'the log does not answer: appends and reads are refused' },
    { level: 40, component: 'log', from: 'probing', state: 'available', msg: 'the log answers again' },
  ]);
});

it('takes a suspicion that passes for no news', () => {
  const { lifecycle, lines } = observeLifecycle();
  lifecycle.log({ type: 'logState', from: 'available', to: 'suspect' });
  lifecycle.log({ type: 'logState', from: 'suspect', to: 'available' });
  expect(lines).toEqual([]);
});

it('shows the log as a circuit breaker: closed from the start and while suspect, half-open while probed', async () => {
  const { lifecycle, series } = observeLifecycle();
  const shown = async () => (await series('chat_breaker_state'))[0]?.split(' ')[1];
  expect(await shown()).toBe('0');
  const values = { suspect: '0', unavailable: '2', probing: '1', available: '0' } as const;
  let from: keyof typeof values = 'available';
  for (const to of ['suspect', 'unavailable', 'probing', 'available'] as const) {
    lifecycle.log({ type: 'logState', from, to });
    expect([to, await shown()]).toEqual([to, values[to]]);
    from = to;
  }
});

it('measures acknowledgements in seconds, 0 before the first', async () => {
  const { lifecycle, series } = observeLifecycle();
  let ackMs: number | null = null;
  lifecycle.watch.publishAck(() => ackMs);
  expect(await series('chat_publish_ack_average_seconds')).toEqual(['chat_publish_ack_average_seconds 0']);
  ackMs = 2.5;
  expect(await series('chat_publish_ack_average_seconds')).toEqual([
    'chat_publish_ack_average_seconds 0.0025',
  ]);
});
