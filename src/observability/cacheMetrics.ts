import { Counter, Gauge, type Registry } from 'prom-client';

/** What a cache tells of itself when it is asked. */
export interface CacheSource {
  readonly lookups: { readonly hit: number; readonly miss: number; readonly error: number };
  readonly size?: number;
}

/** The caches' metrics, looked at whenever metrics are asked for. @returns what adds a cache */
export function cacheMetrics(registry: Registry): (cache: string, source: CacheSource) => void {
  const sources = new Map<string, CacheSource>();
  new Counter({
    name: 'chat_cache_requests_total',
    help: 'Look-ups in caches, by what came of them.',
    labelNames: ['cache', 'outcome'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [cache, { lookups }] of sources) {
        for (const outcome of ['hit', 'miss', 'error'] as const)
          this.inc({ cache, outcome }, lookups[outcome]);
      }
    },
  });
  new Gauge({
    name: 'chat_cache_entries',
    help: 'What caches in memory hold.',
    labelNames: ['cache'],
    registers: [registry],
    collect() {
      for (const [cache, { size }] of sources) if (size !== undefined) this.set({ cache }, size);
    },
  });
  return (cache, source) => {
    sources.set(cache, source);
  };
}
