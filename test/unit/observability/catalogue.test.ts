import { collectDefaultMetrics, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { METRICS, type MetricDefinition } from '../../../src/observability/catalogue.ts';
import { type ObservedLifecycle, observeLifecycle } from '../../support/observability/observedLifecycle.ts';

/** What a process registers, as its own text says. */
interface Registered {
  name: string;
  help: string;
  kind: string;
  labels: string[];
  buckets: number[];
}

/** Something happens to every part, so that every metric has a series. */
function makeHappen({ lifecycle }: ObservedLifecycle): void {
  const { watch } = lifecycle;
  lifecycle.edge({ type: 'connected', transport: 'websocket' });
  lifecycle.edge({ type: 'disconnected', transport: 'websocket', reason: 'client' });
  lifecycle.upload({ outcome: 'stored', reason: 'stored', bytes: 1, mediaType: 'text/plain' });
  lifecycle.database('primary').onQuery({ operation: 'readMessages', durationMs: 1, outcome: 'answered' });
  watch.pool('primary', { totalCount: 1, idleCount: 1, waitingCount: 0 });
  watch.replica({ state: 'usable', lagSeconds: 0 });
  watch.cache('conversations', { lookups: { hit: 1, miss: 0, error: 0 }, size: 1 });
  watch.redis(() => true);
  watch.publishAck(() => 1);
  watch.liveFeed({ lagEvents: 0, restarts: 0 });
  watch.uploads(async () => ({ bytes: 1, bytesMax: 2 }));
  const history = {
    projection: 'history',
    lagEvents: 0,
    lagSeconds: 0,
    state: 'live',
    parkedConversations: 0,
  };
  const audit = { unaccounted: 0, conversations: 0, lastPassAtMs: null };
  watch.projections({ states: ['live'], read: async () => ({ projections: [history], audit }) });
}

function defaultNames(): Set<string> {
  const register = new Registry();
  collectDefaultMetrics({ register });
  return new Set(register.getMetricsAsArray().map(({ name }) => name));
}

function parse(text: string): Map<string, Registered> {
  const registered = new Map<string, Registered>();
  const of = (name: string) => {
    const known = registered.get(name) ?? { name, help: '', kind: '', labels: [], buckets: [] };
    registered.set(name, known);
    return known;
  };
  for (const line of text.split('\n')) {
    const [, word, about, rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (about !== undefined && word === 'HELP') of(about).help = rest;
    if (about !== undefined && word === 'TYPE') of(about).kind = rest;
    const [, series, inBraces = ''] = /^([a-z_]+)(?:\{(.*)\})? /.exec(line) ?? [];
    if (series === undefined) continue;
    const metric = registered.get(series) ?? of(series.replace(/_(bucket|sum|count)$/, ''));
    const bound = /(?:^|,)le="([^"]+)"/.exec(inBraces)?.[1];
    if (bound !== undefined && bound !== '+Inf') metric.buckets.push(Number(bound));
    metric.labels = [...inBraces.matchAll(/(\w+)="/g)].map(([, label]) => `${label}`);
  }
  return registered;
}

async function registeredMetrics(): Promise<Registered[]> {
  const observed = observeLifecycle();
  makeHappen(observed);
  const defaults = defaultNames();
  return [...parse(await observed.metrics.text()).values()].filter(({ name }) => !defaults.has(name));
}

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);

describe('the catalogue of metrics', () => {
  it('has every metric that a process registers, with its kind, labels, buckets and help, and no other', async () => {
    const entries: MetricDefinition[] = Object.values(METRICS);
    const wanted = entries.map(({ name, help, kind, labels, buckets }) => {
      return { name, help, kind, labels: [...labels].sort(), buckets: [...(buckets ?? [])] };
    });
    const found = (await registeredMetrics()).map((each) => ({ ...each, labels: each.labels.sort() }));
    expect(found.sort(byName)).toEqual(wanted.sort(byName));
  });

  it('names units: totals are counters, seconds and bytes say so', () => {
    const entries: MetricDefinition[] = Object.values(METRICS);
    for (const { name, kind, unit, buckets } of entries) {
      expect(name).toMatch(/^chat_[a-z]+(_[a-z]+)*$/);
      expect(name.endsWith('_total')).toBe(kind === 'counter');
      if (/_seconds$/.test(name)) expect(unit).toMatch(/^seconds/);
      if (/_bytes(_limit)?$/.test(name)) expect(unit).toBe('bytes');
      expect(buckets !== undefined).toBe(kind === 'histogram');
    }
  });

  it('explains each in a sentence', () => {
    for (const { help } of Object.values(METRICS)) expect(help).toMatch(/^[A-Z].*\.$/);
  });
});
