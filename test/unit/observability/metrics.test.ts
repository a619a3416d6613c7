import { expect, test } from 'vitest';
import { Metrics } from '../../../src/observability/metrics.ts';

const lines = async (metrics: Metrics, name: string) =>
  (await metrics.text())
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));

test('connections are counted by what carries them and which protocol they speak', async () => {
  const metrics = new Metrics();
  metrics.onEdge({ type: 'connected', transport: 'websocket' });
  metrics.onEdge({ type: 'connected', transport: 'socketio-polling' });
  metrics.onEdge({ type: 'connected', transport: 'socketio-polling' });
  metrics.onEdge({ type: 'disconnected', transport: 'socketio-polling', reason: 'slow_consumer' });
  metrics.onEdge({ type: 'refused', transport: 'websocket', reason: 'overloaded' });
  expect(await lines(metrics, 'chat_socket_connections')).toEqual([
    'chat_socket_connections{transport="websocket",protocol="native"} 1',
    'chat_socket_connections{transport="websocket",protocol="socketio"} 0',
    'chat_socket_connections{transport="polling",protocol="socketio"} 1',
    'chat_socket_connections{transport="sse",protocol="sse"} 0',
  ]);
  expect(await lines(metrics, 'chat_socket_disconnections_total')).toEqual([
    'chat_socket_disconnections_total{reason="slow_consumer"} 1',
  ]);
  expect(await lines(metrics, 'chat_socket_handshakes_total')).toEqual([
    'chat_socket_handshakes_total{outcome="accepted"} 3',
    'chat_socket_handshakes_total{outcome="overloaded"} 1',
  ]);
});

test('the live feed and the log are looked at when somebody asks', async () => {
  const metrics = new Metrics();
  const feed = { lagEvents: 3, restarts: 1 };
  metrics.watchLiveFeed(feed);
  metrics.watchPublishAck(() => 2.5);
  feed.lagEvents = 7;
  expect(await lines(metrics, 'chat_live_feed_lag_events')).toEqual(['chat_live_feed_lag_events 7']);
  expect(await lines(metrics, 'chat_publish_ack_average_seconds')).toEqual([
    'chat_publish_ack_average_seconds 0.0025',
  ]);
});

test('a breaker is a number that an alert can compare', async () => {
  const metrics = new Metrics();
  for (const state of ['closed', 'halfOpen', 'open'] as const) {
    metrics.onBreaker('postgres', state);
    const [line] = await lines(metrics, 'chat_breaker_state');
    expect(line).toBe(
      `chat_breaker_state{dependency="postgres"} ${['closed', 'halfOpen', 'open'].indexOf(state)}`,
    );
  }
});

test('caches are looked at when somebody asks, each under its name', async () => {
  const metrics = new Metrics();
  const cache = { lookups: { hit: 2, miss: 1, error: 0 }, size: 7 };
  metrics.watchCache('conversations', cache);
  metrics.watchCache('presence_shared', { lookups: { hit: 0, miss: 0, error: 3 } });
  metrics.watchRedis(() => false);
  cache.lookups.hit += 3;
  expect(await lines(metrics, 'chat_cache_requests_total')).toEqual([
    'chat_cache_requests_total{cache="conversations",outcome="hit"} 5',
    'chat_cache_requests_total{cache="conversations",outcome="miss"} 1',
    'chat_cache_requests_total{cache="conversations",outcome="error"} 0',
    'chat_cache_requests_total{cache="presence_shared",outcome="hit"} 0',
    'chat_cache_requests_total{cache="presence_shared",outcome="miss"} 0',
    'chat_cache_requests_total{cache="presence_shared",outcome="error"} 3',
  ]);
  expect(await lines(metrics, 'chat_cache_entries')).toEqual(['chat_cache_entries{cache="conversations"} 7']);
  expect(await lines(metrics, 'chat_redis_up')).toEqual(['chat_redis_up 0']);
});
