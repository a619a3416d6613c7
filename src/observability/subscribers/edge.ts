import type { Logger } from 'pino';
import type { EdgeEvent, TransportName } from '../../edge/edgeEvents.ts';
import { METRICS } from '../catalogue.ts';
import type { Metrics } from '../metrics.ts';

/** What the live feed says of itself. */
export interface LiveFeedGauges {
  readonly lagEvents: number;
  readonly restarts: number;
}

/** The name of a transport in metrics: what carries the bytes, and the protocol spoken over it. */
const LABELS: Record<TransportName, { transport: string; protocol: string }> = {
  websocket: { transport: 'websocket', protocol: 'native' },
  'socketio-websocket': { transport: 'websocket', protocol: 'socketio' },
  'socketio-polling': { transport: 'polling', protocol: 'socketio' },
  sse: { transport: 'sse', protocol: 'sse' },
};

/** Log lines and metrics of the edge. */
export function edgeSubscriber(logger: Logger, metrics: Metrics) {
  const count = connectionMetrics(metrics);
  const onEvent = (event: EdgeEvent): void => {
    count(event);
    const fields = { component: 'edge', ...event };
    if (event.type === 'slowConsumer') logger.info(fields, 'closed a slow consumer');
    if (event.type === 'tailRestarted') logger.warn(fields, 'live feed restarted');
  };
  const watchLiveFeed = (feed: LiveFeedGauges): void => {
    metrics.gauge(METRICS.liveFeedLagEvents, (gauge) => gauge.set(feed.lagEvents));
    metrics.gauge(METRICS.liveFeedRestarts, (gauge) => gauge.set(feed.restarts));
  };
  return { onEvent, watchLiveFeed };
}

function connectionMetrics(metrics: Metrics): (event: EdgeEvent) => void {
  const open = metrics.gauge(METRICS.socketConnections);
  const opened = metrics.counter(METRICS.socketConnectionsTotal);
  const closed = metrics.counter(METRICS.socketDisconnectionsTotal);
  const handshakes = metrics.counter(METRICS.socketHandshakesTotal);
  for (const labels of Object.values(LABELS)) open.set(labels, 0);
  return (event) => {
    switch (event.type) {
      case 'connected':
        open.inc(LABELS[event.transport]);
        opened.inc(LABELS[event.transport]);
        return handshakes.inc({ outcome: 'accepted' });
      case 'disconnected':
        open.dec(LABELS[event.transport]);
        return closed.inc({ reason: event.reason });
      case 'refused':
        return handshakes.inc({ outcome: event.reason });
      // Slow consumers are counted when they close, restarts are read from the feed.
      case 'slowConsumer':
      case 'tailRestarted':
        return;
    }
  };
}
