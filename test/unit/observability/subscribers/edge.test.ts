import { expect, it } from 'vitest';
import { observeLifecycle } from '../../../support/observability/observedLifecycle.ts';

it('counts connections by what carries them and which protocol they speak', async () => {
  const { lifecycle, series } = observeLifecycle();
  lifecycle.edge({ type: 'connected', transport: 'websocket' });
  lifecycle.edge({ type: 'connected', transport: 'socketio-polling' });
  lifecycle.edge({ type: 'connected', transport: 'socketio-polling' });
  lifecycle.edge({ type: 'disconnected', transport: 'socketio-polling', reason: 'slow_consumer' });
  lifecycle.edge({ type: 'refused', transport: 'websocket', reason: 'overloaded' });
  expect(await series('chat_socket_connections')).toEqual([
    'chat_socket_connections{transport="websocket",protocol="native"} 1',
    'chat_socket_connections{transport="websocket",protocol="socketio"} 0',
    'chat_socket_connections{transport="polling",protocol="socketio"} 1',
    'chat_socket_connections{transport="sse",protocol="sse"} 0',
  ]);
  expect(await series('chat_socket_disconnections_total')).toEqual([
    'chat_socket_disconnections_total{reason="slow_consumer"} 1',
  ]);
  expect(await series('chat_socket_handshakes_total')).toEqual([
    'chat_socket_handshakes_total{outcome="accepted"} 3',
    'chat_socket_handshakes_total{outcome="overloaded"} 1',
  ]);
});

it('logs slow consumers and restarts of the live feed, and no ordinary connection', () => {
  const { lifecycle, lines } = observeLifecycle();
  lifecycle.edge({ type: 'connected', transport: 'sse' });
  lifecycle.edge({ type: 'disconnected', transport: 'sse', reason: 'client' });
  lifecycle.edge({ type: 'refused', transport: 'sse', reason: 'overloaded' });
  expect(lines).toEqual([]);
  lifecycle.edge({ type: 'slowConsumer', transport: 'sse', userId: 'alice' });
  lifecycle.edge({ type: 'tailRestarted', reason: 'stalled', position: 7 });
  expect(lines).toMatchObject([
    { level: 30, component: 'edge', userId: 'alice', msg: 'closed a slow consumer' },
    { level: 40, component: 'edge', reason: 'stalled', position: 7, msg: 'live feed restarted' },
  ]);
});

it('reads the live feed whenever metrics are read', async () => {
  const { lifecycle, series } = observeLifecycle();
  const feed = { lagEvents: 3, restarts: 1 };
  lifecycle.watch.liveFeed(feed);
  feed.lagEvents = 7;
  expect(await series('chat_live_feed_lag_events')).toEqual(['chat_live_feed_lag_events 7']);
  expect(await series('chat_live_feed_restarts')).toEqual(['chat_live_feed_restarts 1']);
});
