import type uWS from 'uWebSockets.js';
import type { HttpRequest, HttpResponse, us_socket_context_t, WebSocket } from 'uWebSockets.js';
import { CLOSE_CODES, FRAME_BYTES_MAX, WS_SUBPROTOCOL, WsQuery } from '../../contracts/frames.ts';
import { Session, type SessionContext } from '../session.ts';
import type { ClientSocket } from '../socket.ts';

export interface NativeTransportOptions {
  readonly connectionsMax: number;
  /** Unsent bytes at which a socket counts as stuck and is closed. */
  readonly backpressureBytesMax: number;
}

interface SocketData {
  readonly userId: string;
  connection: Connection | null;
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
  readonly #connections = new Set<Connection>();
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
    const connection = new Connection(ws, data.userId, this.#context);
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

/** One WebSocket. uWebSockets.js throws when a closed one is touched, so nothing goes past `open`. */
class Connection implements ClientSocket {
  readonly #ws: WebSocket<SocketData>;
  readonly userId: string;
  readonly session: Session;
  #drainWaiters: (() => void)[] = [];
  open = true;

  constructor(ws: WebSocket<SocketData>, userId: string, context: SessionContext) {
    this.#ws = ws;
    this.userId = userId;
    this.session = new Session(context, this);
  }

  onMessage(message: ArrayBuffer, isBinary: boolean): void {
    if (message.byteLength > FRAME_BYTES_MAX) {
      return this.close(CLOSE_CODES.tooLarge, `frames have at most ${FRAME_BYTES_MAX} bytes`);
    }
    if (isBinary) return this.close(CLOSE_CODES.unsupportedData, 'frames are JSON text');
    // The bytes belong to uWebSockets.js and are only valid during this call: the string is a copy.
    this.session.receive(Buffer.from(message).toString('utf8'));
  }

  onDrain(): void {
    if (this.#ws.getBufferedAmount() === 0) this.#wake();
  }

  onClose(): void {
    this.open = false;
    this.session.end();
    this.#wake();
  }

  send(frame: string | Uint8Array): boolean {
    // 1: gone out. 0: kept until the client reads. 2: over the limit, and closed for it.
    return this.open && this.#ws.send(frame, false) === 1;
  }

  drained(): Promise<void> {
    if (!this.open || this.#ws.getBufferedAmount() === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#drainWaiters.push(resolve);
    });
  }

  subscribe(topic: string): void {
    if (this.open) this.#ws.subscribe(topic);
  }

  unsubscribe(topic: string): void {
    if (this.open) this.#ws.unsubscribe(topic);
  }

  close(code: number, reason: string): void {
    if (this.open) this.#ws.end(code, reason);
  }

  #wake(): void {
    const waiters = this.#drainWaiters;
    this.#drainWaiters = [];
    for (const wake of waiters) wake();
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
