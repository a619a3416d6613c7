import type uWS from 'uWebSockets.js';
import type { AdmissionControl } from '../admission.ts';
import type { Realtime } from '../realtime.ts';

export interface EdgeHealth {
  readonly realtime: Realtime;
  readonly admission: AdmissionControl;
  readonly connections: () => number;
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
}

/** Events that the live feed may be behind the log before the edge says that it is not well. */
const LAG_EVENTS_MAX = 10_000;

/** Health of an edge process on its own port, for load balancers; and an answer to whatever is not served here. */
export function serveHealth(app: uWS.TemplatedApp, health: EdgeHealth): void {
  const serve = (path: string, healthy: () => boolean) =>
    app.get(path, (response) => {
      const well = healthy();
      const body = JSON.stringify({ status: well ? 'OK' : 'ERROR', ...describe(health) });
      response.writeStatus(well ? '200 OK' : '503 Service Unavailable');
      response.writeHeader('Content-Type', 'application/json').end(body);
    });
  const feedIsWell = () => health.realtime.feed.lagEvents <= LAG_EVENTS_MAX;
  serve('/health', () => true);
  serve('/health/live', () => true);
  serve('/health/ready', () => !health.admission.draining && feedIsWell());
  app.get('/metrics', (response) => void sendMetrics(response, health));
  app.any('/*', (response) => {
    response
      .writeStatus('404 Not Found')
      .end('The edge serves /ws, /socket.io/, /health and /metrics; the HTTP API is on another port.');
  });
}

async function sendMetrics(response: uWS.HttpResponse, { metrics }: EdgeHealth): Promise<void> {
  let gone = false;
  response.onAborted(() => {
    gone = true;
  });
  const text = await metrics.text();
  if (gone) return;
  response.cork(() => response.writeHeader('Content-Type', metrics.contentType).end(text));
}

function describe({ realtime, admission, connections }: EdgeHealth) {
  const { feed, context } = realtime;
  return {
    timestamp: new Date().toISOString(),
    draining: admission.draining,
    connections: connections(),
    conversations: context.hub.channels,
    liveFeed: {
      position: feed.position,
      head: Math.max(feed.head, feed.position),
      lagEvents: feed.lagEvents,
      restarts: feed.restarts,
    },
    recentEvents: { from: context.recent.from, events: context.recent.size },
    catchUpReads: context.past.reads,
  };
}
