import { METRICS } from '../catalogue.ts';
import type { Metrics } from '../metrics.ts';

/** What a cache says of itself. */
export interface CacheSource {
  readonly lookups: { readonly hit: number; readonly miss: number; readonly error: number };
  readonly size?: number;
}

/** Metrics of the caches, read whenever metrics are. */
export function cacheSubscriber(metrics: Metrics) {
  const sources = new Map<string, CacheSource>();
  metrics.counter(METRICS.cacheRequestsTotal, (requests) => {
    requests.reset();
    for (const [cache, { lookups }] of sources) {
      for (const outcome of ['hit', 'miss', 'error'] as const)
        requests.inc({ cache, outcome }, lookups[outcome]);
    }
  });
  metrics.gauge(METRICS.cacheEntries, (entries) => {
    for (const [cache, { size }] of sources) if (size !== undefined) entries.set({ cache }, size);
  });
  const watchCache = (cache: string, source: CacheSource): void => {
    sources.set(cache, source);
  };
  return { watchCache };
}
