import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { EdgeEvent, TransportName } from '../edge/edgeEvents.ts';
import type { BreakerState } from '../platform/postgres/breaker.ts';
import { type CacheSource, cacheMetrics } from './cacheMetrics.ts';
import { DatabaseMetrics } from './databaseMetrics.ts';
import { type ProjectionSource, projectionGauges } from './projectionMetrics.ts';

/** What the live feed tells of itself when it is asked. */
export interface LiveFeedGauges {
  readonly lagEvents: number;
  readonly restarts: number;
}

/** How a transport is named in metrics: what carries the bytes, and which protocol is spoken over it. */
const LABELS: Record<TransportName, { transport: string; protocol: string }> = {
  websocket: { transport: 'websocket', protocol: 'native' },
  'socketio-websocket': { transport: 'websocket', protocol: 'socketio' },
  'socketio-polling': { transport: 'polling', protocol: 'socketio' },
  sse: { transport: 'sse', protocol: 'sse' },
};

const BREAKER_VALUES: Record<BreakerState, number> = { closed: 0, halfOpen: 1, open: 2 };

/**
 * Turns what the parts tell into metrics. The parts know nothing of it: they emit typed events, and the composition root
 * subscribes this to them. No label holds a user or an address, so their number is bounded.
 */
export class Metrics {
  readonly #registry = new Registry();
  /** What must be asked for before the gauges are right. */
  readonly #refreshers: (() => Promise<void>)[] = [];
  readonly #connections = this.#gauge('chat_socket_connections', 'Open connections.', [
    'transport',
    'protocol',
  ]);
  readonly #opened = this.#counter('chat_socket_connections_total', 'Connections opened.', [
    'transport',
    'protocol',
  ]);
  readonly #closed = this.#counter('chat_socket_disconnections_total', 'Connections closed, by why.', [
    'reason',
  ]);
  readonly #handshakes = this.#counter('chat_socket_handshakes_total', 'Handshakes, by how they ended.', [
    'outcome',
  ]);
  readonly #breaker = this.#gauge('chat_breaker_state', 'Circuit breakers: 0 closed, 1 half-open, 2 open.', [
    'dependency',
  ]);

  readonly databases: DatabaseMetrics;
  /** Has a cache looked at, under its name, whenever metrics are asked for. */
  readonly watchCache: (cache: string, source: CacheSource) => void = cacheMetrics(this.#registry);
  readonly #uploads = this.#counter('chat_uploads_total', 'Uploads, by how they ended and why.', [
    'outcome',
    'reason',
  ]);

  constructor() {
    this.databases = new DatabaseMetrics(this.#registry);
    collectDefaultMetrics({ register: this.#registry });
    for (const labels of Object.values(LABELS)) this.#connections.set(labels, 0);
  }

  /** The type of what {@link text} gives. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All metrics in the text format of Prometheus. */
  async text(): Promise<string> {
    await Promise.all(this.#refreshers.map((refresh) => refresh()));
    return this.#registry.metrics();
  }

  onEdge(event: EdgeEvent): void {
    switch (event.type) {
      case 'connected':
        this.#connections.inc(LABELS[event.transport]);
        this.#opened.inc(LABELS[event.transport]);
        return this.#handshakes.inc({ outcome: 'accepted' });
      case 'disconnected':
        this.#connections.dec(LABELS[event.transport]);
        return this.#closed.inc({ reason: event.reason });
      case 'refused':
        return this.#handshakes.inc({ outcome: event.reason });
      // Slow consumers are counted when they close, restarts when the feed is looked at.
      case 'slowConsumer':
      case 'tailRestarted':
        return;
    }
  }

  onUpload({ outcome, reason }: { readonly outcome: string; readonly reason: string }): void {
    this.#uploads.inc({ outcome, reason });
  }

  onBreaker(dependency: string, state: BreakerState): void {
    this.#breaker.set({ dependency }, BREAKER_VALUES[state]);
  }

  /** Looks at whether Redis takes commands: 1 or 0. */
  watchRedis(isUp: () => boolean): void {
    this.#looked('chat_redis_up', 'Whether Redis takes commands.', () => Number(isUp()));
  }

  /** Looks at the live feed whenever metrics are asked for. */
  watchLiveFeed(feed: LiveFeedGauges): void {
    this.#looked(
      'chat_live_feed_lag_events',
      'Events in the log that were not handed on yet.',
      () => feed.lagEvents,
    );
    this.#looked('chat_live_feed_restarts', 'Times that the live feed began anew.', () => feed.restarts);
  }

  /** Looks at the read models whenever metrics are asked for. */
  watchProjections(source: ProjectionSource): void {
    this.#refreshers.push(projectionGauges(this.#registry, source));
  }

  /** Asks how full the store of uploads is. One that does not answer leaves what it said last. */
  watchUploads(usage: () => Promise<{ readonly bytes: number; readonly bytesMax: number }>): void {
    const held = this.#gauge('chat_uploads_bytes', 'What all uploads hold.', []);
    const limit = this.#gauge('chat_uploads_bytes_limit', 'What all uploads may hold.', []);
    this.#refreshers.push(async () => {
      const { bytes, bytesMax } = await usage().catch(() => ({ bytes: null, bytesMax: null }));
      if (bytes !== null) held.set(bytes);
      if (bytesMax !== null) limit.set(bytesMax);
    });
  }

  /** Looks at how long the log takes to acknowledge, in seconds. */
  watchPublishAck(ackMs: () => number | null): void {
    const help = 'Moving average of the time until the log acknowledges an append.';
    this.#looked('chat_publish_ack_average_seconds', help, () => (ackMs() ?? 0) / 1_000);
  }

  #looked(name: string, help: string, look: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.#registry],
      collect() {
        this.set(look());
      },
    });
  }

  #counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }

  #gauge(name: string, help: string, labelNames: string[]): Gauge {
    return new Gauge({ name, help, labelNames, registers: [this.#registry] });
  }
}
