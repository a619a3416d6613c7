import uWS from 'uWebSockets.js';
import { drain } from './drain.ts';
import type { OnEdgeEvent } from './edgeEvents.ts';
import { type EdgeHealth, serveHealth } from './edgeHealth.ts';
import type { Gate } from './gate/gate.ts';
import { AnswerHeaders, type AnswerHeadersOptions } from './http/answerHeaders.ts';
import { RequestUser } from './http/requestUser.ts';
import type { Realtime } from './realtime.ts';
import { NativeTransport } from './transports/native/nativeTransport.ts';
import { SocketIoTransport } from './transports/socketio/socketIoTransport.ts';

export interface EdgeOptions extends AnswerHeadersOptions {
  readonly realtime: Realtime;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Of the process: other transports of it share its count. */
  readonly gate: Gate;
  readonly backpressureBytesMax: number;
  /** The header by which a gateway names users; `undefined`: clients name themselves. */
  readonly trustedUserHeader?: string | undefined;
  /** Interval of checks for slow sockets, in milliseconds. Default 1,000. */
  readonly slowCheckMs?: number;
  readonly metrics: EdgeHealth['metrics'];
  readonly onEvent?: OnEdgeEvent;
  readonly onFault: (error: unknown) => void;
}

/** The edge cannot listen on its host and port. */
export class EdgeListenError extends Error {
  override readonly name = 'EdgeListenError';
}

export interface EdgeServer {
  readonly port: number;
  readonly connections: number;
  /** Position of the live feed. */
  readonly position: number;
  /** Announces the stop, lets requests in flight finish (at most `timeoutMs`), then closes every socket. */
  stop(timeoutMs: number): Promise<void>;
}

/**
 * Starts the realtime edge: one uWebSockets.js app, on what the process knows of the log.
 *
 * @throws EdgeListenError when the port is taken
 */
export async function startEdge(options: EdgeOptions): Promise<EdgeServer> {
  const { realtime, onEvent = () => {} } = options;
  nameNoServer();
  const app = uWS.App();
  const { gate, backpressureBytesMax, metrics, onFault } = options;
  const answerHeaders = new AnswerHeaders(options);
  const users = new RequestUser(options.trustedUserHeader);
  const shared = { gate, backpressureBytesMax, answerHeaders, users, onEvent, onFault };
  const native = new NativeTransport(app, realtime.context, shared);
  const socketIo = new SocketIoTransport(app, realtime.context, shared);
  const transports = [native, socketIo];
  const connections = () => transports.reduce((sum, transport) => sum + transport.connections, 0);
  serveHealth(app, { ...shared, connections, realtime, metrics });
  const listening = await listen(app, options);
  const slowCheck = setInterval(() => native.closeSlow(), options.slowCheckMs ?? 1_000);
  slowCheck.unref();
  return {
    port: uWS.us_socket_local_port(listening),
    get connections() {
      return connections();
    },
    get position() {
      return realtime.feed.position;
    },
    async stop(timeoutMs) {
      gate.drain();
      clearInterval(slowCheck);
      uWS.us_listen_socket_close(listening);
      await drain(transports, timeoutMs);
      await socketIo.stop();
      app.close();
    },
  };
}

/**
 * Answers do not name their server, as those of the API do not. The switch is not in uWebSockets.js' types: a version
 * without it would name itself, and a test would say so.
 */
function nameNoServer(): void {
  if ('_cfg' in uWS && typeof uWS._cfg === 'function') uWS._cfg('silent');
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
