import uWS from 'uWebSockets.js';
import { asChatError } from '../application/append.ts';
import type { ApplicationContext } from '../application/context.ts';
import type { Following } from '../ports/eventFeed.ts';
import { Hub } from './hub.ts';
import type { SessionContext } from './session.ts';
import { NativeTransport } from './transports/native.ts';

export interface EdgeOptions {
  readonly application: ApplicationContext;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly connectionsMax: number;
  readonly joinsPerSocketMax: number;
  readonly backpressureBytesMax: number;
  readonly onFault: (error: unknown) => void;
}

/** The edge cannot listen where it should. */
export class EdgeListenError extends Error {
  override readonly name = 'EdgeListenError';
}

/** Requests of one socket under way at a time: as many as the log's publish window takes from everybody. */
const REQUESTS_PER_SOCKET_MAX = 1_024;

export interface EdgeServer {
  readonly port: number;
  readonly connections: number;
  /** Sequence up to which the live feed has handed events on. */
  readonly position: number;
  /** Tells the clients, lets requests under way finish (at most `timeoutMs`), then closes every socket. */
  stop(timeoutMs: number): Promise<void>;
}

/**
 * Starts the realtime edge: one uWebSockets.js app, one tail of the log for all its sockets.
 *
 * @throws EdgeListenError when the port is taken
 */
export async function startEdge(options: EdgeOptions): Promise<EdgeServer> {
  const { application } = options;
  const app = uWS.App();
  const hub = new Hub({
    publish: (topic, frame) => app.publish(topic, frame, false),
    readHead: (conversationId) => readHead(application, conversationId),
  });
  const sessionOptions = {
    joinsMax: options.joinsPerSocketMax,
    requestsMax: REQUESTS_PER_SOCKET_MAX,
    onFault: options.onFault,
  };
  const context: SessionContext = { application, hub, options: sessionOptions };
  const transport = new NativeTransport(context, options);
  transport.attach(app);
  app.any('/*', (response) => {
    response.writeStatus('404 Not Found').end('The edge serves /ws; the HTTP API is on another port.');
  });
  const listening = await listen(app, options);
  const tail = await followTail(application, hub);
  return {
    port: uWS.us_socket_local_port(listening),
    get connections() {
      return transport.connections;
    },
    get position() {
      return tail.position;
    },
    stop: (timeoutMs) => stop(app, listening, transport, tail, timeoutMs),
  };
}

/** One reader of the whole log: conversations learn of changes, followers of events. */
function followTail({ feed, conversations }: ApplicationContext, hub: Hub): Promise<Following> {
  return feed.follow({
    after: 'now',
    unreleasedMax: 4_096,
    onEvent: (event) => {
      conversations.observe(event);
      hub.accept(event);
    },
  });
}

async function readHead(application: ApplicationContext, conversationId: string): Promise<number> {
  try {
    const latest = await Promise.all([
      application.log.latest(conversationId, 'conversation'),
      application.log.latest(conversationId, 'message'),
    ]);
    return Math.max(...latest.map((event) => event?.seq ?? 0));
  } catch (cause) {
    throw asChatError(cause);
  }
}

function listen(app: uWS.TemplatedApp, options: EdgeOptions): Promise<uWS.us_listen_socket> {
  const { host, port } = options;
  return new Promise((resolve, reject) => {
    app.listen(host, port, (socket) => {
      if (socket) resolve(socket);
      else
        reject(
          new EdgeListenError(`The edge cannot listen on ${host}:${port}: the port is taken. Set EDGE_PORT.`),
        );
    });
  });
}

async function stop(
  app: uWS.TemplatedApp,
  listening: uWS.us_listen_socket,
  transport: NativeTransport,
  tail: Following,
  timeoutMs: number,
): Promise<void> {
  uWS.us_listen_socket_close(listening);
  transport.drain(() => Math.round(500 + Math.random() * 2_000));
  const deadline = Date.now() + timeoutMs;
  while (transport.underWay > 0 && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  transport.closeAll();
  await tail.stop();
  app.close();
}
