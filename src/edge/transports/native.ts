import type uWS from 'uWebSockets.js';
import type { HttpRequest, HttpResponse, us_socket_context_t, WebSocket } from 'uWebSockets.js';
import { CLOSE_CODES, FRAME_BYTES_MAX, WS_SUBPROTOCOL, WsQuery } from '../../contracts/frames.ts';
import type { SessionContext } from '../session.ts';
import { NativeConnection, type SocketData } from './nativeConnection.ts';

export interface NativeTransportOptions {
  readonly connectionsMax: number;
  /** Unsent bytes at which a socket counts as stuck and is closed. */
  readonly backpressureBytesMax: number;
}

/**
 * Above the soft limit of {@link FRAME_BYTES_MAX} a client is told why it is closed (1009); above this hard one
 * uWebSockets.js drops the connection while the frame is still coming in, so nothing larger is ever held.
 */
const FRAME_BYTES_HARD_MAX = 2 * FRAME_BYTES_MAX;

/** The native protocol of PROTOCOL.md on `/ws`: one session for each WebSocket. */
export class NativeTransport {
  readonly #context: SessionContext;
  readonly #options: NativeTransportOptions;
  readonly #connections = new Set<NativeConnection>();
  #draining = false;

  constructor(context: SessionContext, options: NativeTransportOptions) {
    this.#context = context;
    this.#options = options;
  }

  get connections(): number {
    return this.#connections.size;
  }

  get underWay(): number {
    let sum = 0;
    for (const { session } of this.#connections) sum += session.underWay;
    return sum;
  }

  attach(app: uWS.TemplatedApp): void {
    app.ws<SocketData>('/ws', {
      maxPayloadLength: FRAME_BYTES_HARD_MAX,
      maxBackpressure: this.#options.backpressureBytesMax,
      closeOnBackpressureLimit: 1,
      idleTimeout: 120,
      sendPingsAutomatically: true,
      upgrade: (response, request, context) => this.#upgrade(response, request, context),
      open: (ws) => this.#open(ws),
      message: (ws, message, isBinary) => ws.getUserData().connection?.onMessage(message, isBinary),
      drain: (ws) => ws.getUserData().connection?.onDrain(),
      close: (ws) => this.#close(ws),
    });
  }

  /** Tells every client to come back elsewhere after a while; new ones are turned away. */
  drain(retryAfterMs: () => number): void {
    this.#draining = true;
    for (const connection of this.#connections) {
      connection.send(JSON.stringify({ op: 'draining', retryAfterMs: retryAfterMs() }));
    }
  }

  closeAll(): void {
    for (const connection of [...this.#connections]) connection.close(CLOSE_CODES.draining, 'draining');
  }

  #upgrade(response: HttpResponse, request: HttpRequest, context: us_socket_context_t): void {
    const query = WsQuery.safeParse(Object.fromEntries(new URLSearchParams(request.getQuery() ?? '')));
    const offered = request.getHeader('sec-websocket-protocol');
    const protocols = offered === '' ? [] : offered.split(',').map((name) => name.trim());
    if (this.#draining || this.#connections.size >= this.#options.connectionsMax) {
      return refuse(
        response,
        '503 Service Unavailable',
        'overloaded',
        'This edge takes no more connections.',
      );
    }
    if (!query.success) {
      return refuse(
        response,
        '400 Bad Request',
        'invalid_request',
        'userId must be 1–128 printable characters.',
      );
    }
    if (protocols.length > 0 && !protocols.includes(WS_SUBPROTOCOL)) {
      return refuse(response, '400 Bad Request', 'invalid_request', `The subprotocol is ${WS_SUBPROTOCOL}.`);
    }
    response.upgrade<SocketData>(
      { userId: query.data.userId, connection: null },
      request.getHeader('sec-websocket-key'),
      protocols.length > 0 ? WS_SUBPROTOCOL : '',
      request.getHeader('sec-websocket-extensions'),
      context,
    );
  }

  #open(ws: WebSocket<SocketData>): void {
    const data = ws.getUserData();
    const connection = new NativeConnection(ws, data.userId, this.#context);
    data.connection = connection;
    this.#connections.add(connection);
  }

  #close(ws: WebSocket<SocketData>): void {
    const { connection } = ws.getUserData();
    if (connection === null) return;
    this.#connections.delete(connection);
    connection.onClose();
  }
}

function refuse(response: HttpResponse, status: string, code: string, detail: string): void {
  const body = {
    type: 'about:blank',
    title: status.slice(4),
    status: Number(status.slice(0, 3)),
    detail,
    code,
  };
  response.cork(() => {
    response.writeStatus(status).writeHeader('Content-Type', 'application/problem+json');
    response.end(JSON.stringify(body));
  });
}
