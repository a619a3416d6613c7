import type uWS from 'uWebSockets.js';
import type { HttpResponse } from 'uWebSockets.js';
import { ChatError } from '../contracts/errors.ts';
import type { HeaderList } from '../middleware/securityHeaders.ts';
import type { Gate } from './gate/gate.ts';
import type { AnswerHeaders } from './http/answerHeaders.ts';
import { refuse, statusLine } from './http/refuse.ts';
import { cutOffTwoLengths, hasBody } from './http/requestBody.ts';
import type { Realtime } from './realtime.ts';

export interface EdgeHealth {
  readonly realtime: Realtime;
  readonly gate: Pick<Gate, 'draining'>;
  /** Connections of this edge's own transports. */
  readonly connections: () => number;
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
  readonly answerHeaders: AnswerHeaders;
  readonly onFault: (error: unknown) => void;
}

interface Page {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/** Lag of the live feed from which the edge is not ready, in events. */
const LAG_EVENTS_MAX = 10_000;

/** Health and metrics of an edge process on its own port, for load balancers; 404 for every other path. */
export function serveHealth(app: uWS.TemplatedApp, health: EdgeHealth): void {
  const { answerHeaders } = health;
  const page = (healthy: boolean) => ({
    status: healthy ? 200 : 503,
    type: 'application/json',
    text: JSON.stringify({ status: healthy ? 'OK' : 'ERROR', ...describe(health) }),
  });
  const feedIsWell = () => health.realtime.feed.lagEvents <= LAG_EVENTS_MAX;
  const { metrics } = health;
  serve(app, '/health', health, () => page(true));
  serve(app, '/health/live', health, () => page(true));
  serve(app, '/health/ready', health, () => page(!health.gate.draining && feedIsWell()));
  serve(app, '/metrics', health, async () => ({
    status: 200,
    type: metrics.contentType,
    text: await metrics.text(),
  }));
  const detail = 'The edge serves /ws, /socket.io/, /health and /metrics; the HTTP API is on another port.';
  app.any('/*', (response, request) => {
    if (cutOffTwoLengths(response, request)) return;
    const headers = answerHeaders.of(request);
    refuse(response, new ChatError('not_found', detail), { headers, closeConnection: hasBody(request) });
  });
}

type MakePage = () => Page | Promise<Page>;

function serve(app: uWS.TemplatedApp, path: string, health: EdgeHealth, make: MakePage): void {
  app.any(path, (response, request) => {
    if (cutOffTwoLengths(response, request)) return;
    const headers = health.answerHeaders.of(request);
    // No body is read here: it is not waited for, and not taken for the next request.
    const closeConnection = hasBody(request);
    const method = request.getMethod();
    if (method === 'get' || method === 'head') {
      const bodiless = method === 'head';
      void send(response, make, { headers, closeConnection, bodiless, onFault: health.onFault });
      return;
    }
    const error = new ChatError('method_not_allowed', `${path} takes GET and HEAD.`);
    refuse(response, error, { headers: [...headers, ['Allow', 'GET, HEAD']], closeConnection });
  });
}

interface SendOptions {
  readonly headers: HeaderList;
  readonly closeConnection: boolean;
  readonly bodiless: boolean;
  readonly onFault: (error: unknown) => void;
}

async function send(response: HttpResponse, make: MakePage, options: SendOptions): Promise<void> {
  let gone = false;
  response.onAborted(() => {
    gone = true;
  });
  try {
    const page = await make();
    if (!gone) response.cork(() => write(response, page, options));
  } catch (cause) {
    options.onFault(cause);
    if (!gone) refuse(response, new ChatError('internal', 'The page cannot be made.', { cause }), options);
  }
}

function write(response: HttpResponse, { status, type, text }: Page, options: SendOptions): void {
  response.writeStatus(statusLine(status));
  for (const [name, value] of options.headers) response.writeHeader(name, value);
  response.writeHeader('Content-Type', type);
  if (options.bodiless) response.endWithoutBody(Buffer.byteLength(text), options.closeConnection);
  else response.end(text, options.closeConnection);
}

function describe({ realtime, gate, connections }: EdgeHealth) {
  const { feed, context } = realtime;
  return {
    timestamp: new Date().toISOString(),
    draining: gate.draining,
    connections: connections(),
    conversations: context.hub.channels,
    liveFeed: {
      position: feed.position,
      head: Math.max(feed.head, feed.position),
      lagEvents: feed.lagEvents,
      restarts: feed.restarts,
    },
    recentEvents: { from: context.recent.from, events: context.recent.size },
    catchUpReads: context.pages.reads,
  };
}
