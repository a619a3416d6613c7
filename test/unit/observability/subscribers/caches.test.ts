import { expect, it } from 'vitest';
import { observeLifecycle } from '../../../support/observability/observedLifecycle.ts';

it('reads caches whenever metrics are read, each under its name', async () => {
  const { lifecycle, series } = observeLifecycle();
  const cache = { lookups: { hit: 2, miss: 1, error: 0 }, size: 7 };
  lifecycle.watch.cache('conversations', cache);
  lifecycle.watch.cache('presence_shared', { lookups: { hit: 0, miss: 0, error: 3 } });
  lifecycle.watch.redis(() => false);
  cache.lookups.hit += 3;
  const expected = [
    'chat_cache_requests_total{cache="conversations",outcome="hit"} 5',
    'chat_cache_requests_total{cache="conversations",outcome="miss"} 1',
    'chat_cache_requests_total{cache="conversations",outcome="error"} 0',
    'chat_cache_requests_total{cache="presence_shared",outcome="hit"} 0',
    'chat_cache_requests_total{cache="presence_shared",outcome="miss"} 0',
    'chat_cache_requests_total{cache="presence_shared",outcome="error"} 3',
  ];
  expect(await series('chat_cache_requests_total')).toEqual(expected);
  expect(await series('chat_cache_requests_total')).toEqual(expected);
  expect(await series('chat_cache_entries')).toEqual(['chat_cache_entries{cache="conversations"} 7']);
  expect(await series('chat_redis_up')).toEqual(['chat_redis_up 0']);
});
