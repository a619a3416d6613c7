import type uWS from 'uWebSockets.js';
import type { HttpRequest, HttpResponse, us_socket_context_t, WebSocket } from 'uWebSockets.js';
import { ChatError } from '../../../contracts/errors.ts';
import { FRAME_BYTES_HARD_MAX, WS_SUBPROTOCOL } from '../../../contracts/frames/clientFrames.ts';
import { DISCONNECTS } from '../../../contracts/frames/disconnects.ts';
import type { SessionContext } from '../../context.ts';
import type { OnEdgeEvent } from '../../edgeEvents.ts';
import type { Gate } from '../../gate/gate.ts';
import type { AnswerHeaders } from '../../http/answerHeaders.ts';
import { refuse } from '../../http/refuse.ts';
import type { RequestUser } from '../../http/requestUser.ts';
import type { LinkedEvent } from '../../linkedEvent.ts';
import type { Drainable, Fanout } from '../../transport.ts';
import { NativeConnection, type SocketData } from './nativeConnection.ts';
import { upgradeFields } from './upgradeQuery.ts';

export interface NativeTransportOptions {
  readonly gate: Gate;
  /** Unsent bytes at which a socket counts as stuck and is closed. */
  readonly backpressureBytesMax: number;
  readonly answerHeaders: AnswerHeaders;
  readonly users: RequestUser;
  readonly onEvent: OnEdgeEvent;
}

const TRANSPORT = 'websocket';

/** uWebSockets.js calls it for each message that goes over a socket's limit; its types leave it out. */
interface DroppedHandler {
  dropped(ws: WebSocket<SocketData>): void;
}

/** The native protocol of PROTOCOL.md on `/ws`: one session for each WebSocket. */
export class NativeTransport implements Drainable, Fanout {
  readonly #app: uWS.TemplatedApp;
  readonly #context: SessionContext;
  readonly #options: NativeTransportOptions;
  readonly #connections = new Set<NativeConnection>();
  /** Connections with much unread at the last check. */
  #lagging = new Set<NativeConnection>();

  constructor(app: uWS.TemplatedApp, context: SessionContext, options: NativeTransportOptions) {
    this.#app = app;
    this.#context = context;
    this.#options = options;
    options.gate.count(() => this.#connections.size);
    app.ws<SocketData>('/ws', {
      maxPayloadLength: FRAME_BYTES_HARD_MAX,
      maxBackpressure: options.backpressureBytesMax,
      closeOnBackpressureLimit: 1,
      idleTimeout: 120,
      sendPingsAutomatically: true,
      upgrade: (response, request, context_) => this.#upgrade(response, request, context_),
      open: (ws) => this.#open(ws),
      message: (ws, message, isBinary) => ws.getUserData().connection?.onMessage(message, isBinary),
      drain: (ws) => ws.getUserData().connection?.onDrain(),
      dropped: (ws) => this.#dropped(ws),
      close: (ws, code) => this.#close(ws, code),
    } satisfies uWS.WebSocketBehavior<SocketData> & DroppedHandler);
  }

  get connections(): number {
    return this.#connections.size;
  }

  get inFlight(): number {
    let sum = 0;
    for (const { session } of this.#connections) sum += session.inFlight;
    return sum;
  }

  publish(conversationId: string, event: LinkedEvent): void {
    this.#app.publish(conversationId, event.frame('native'), false);
  }

  /**
   * Closes connections with more than half of the limit unread at two consecutive checks: they read, but too slowly, so the
   * close code (4008) still reaches them. Those that do not read at all go over the limit.
   */
  closeSlow(): void {
    const lagging = new Set<NativeConnection>();
    for (const connection of this.#connections) {
      if (connection.unsentBytes <= this.#options.backpressureBytesMax / 2) continue;
      if (!this.#lagging.has(connection)) lagging.add(connection);
      else this.#closeSlow(connection);
    }
    this.#lagging = lagging;
  }

  announceDraining(retryAfterMs: () => number): void {
    for (const connection of this.#connections) {
      connection.reply({ op: 'draining', retryAfterMs: retryAfterMs() });
    }
  }

  closeSome(count: number): void {
    for (const connection of this.#connections) {
      if (count-- <= 0) return;
      connection.close(DISCONNECTS.draining);
    }
  }

  #closeSlow(connection: NativeConnection): void {
    this.#options.onEvent({ type: 'slowConsumer', transport: TRANSPORT, userId: connection.userId });
    connection.close(DISCONNECTS.slowConsumer);
  }

  #upgrade(response: HttpResponse, request: HttpRequest, context: us_socket_context_t): void {
    const { gate, answerHeaders } = this.#options;
    const origin = request.getHeader('origin');
    const newcomer = gate.admit({ transport: TRANSPORT, origin }) ?? this.#identify(request);
    if (newcomer instanceof ChatError)
      return refuse(response, newcomer, { headers: answerHeaders.of(request) });
    // The status goes first, or the header would come with one of its own.
    response.writeStatus('101 Switching Protocols');
    response.writeHeader(...answerHeaders.requestId(request));
    response.upgrade<SocketData>(
      { userId: newcomer.userId, connection: null },
      request.getHeader('sec-websocket-key'),
      newcomer.protocol,
      request.getHeader('sec-websocket-extensions'),
      context,
    );
  }

  #identify(request: HttpRequest): Newcomer | ChatError {
    const newcomer = newcomerOf(request, this.#options.users);
    if (newcomer instanceof ChatError) {
      this.#options.onEvent({ type: 'refused', transport: TRANSPORT, reason: newcomer.code });
    }
    return newcomer;
  }

  #open(ws: WebSocket<SocketData>): void {
    const connection = new NativeConnection(ws, this, this.#context);
    ws.getUserData().connection = connection;
    this.#connections.add(connection);
    this.#options.onEvent({ type: 'connected', transport: TRANSPORT });
  }

  /** Called for every message that a stuck socket does not get; it is being closed already. */
  #dropped(ws: WebSocket<SocketData>): void {
    const { connection } = ws.getUserData();
    if (connection === null || connection.closeReason === 'slow_consumer') return;
    connection.closeReason = 'slow_consumer';
    this.#options.onEvent({ type: 'slowConsumer', transport: TRANSPORT, userId: connection.userId });
  }

  #close(ws: WebSocket<SocketData>, _code: number): void {
    const { connection } = ws.getUserData();
    if (connection === null) return;
    this.#connections.delete(connection);
    this.#lagging.delete(connection);
    connection.onClose();
    this.#options.onEvent({ type: 'disconnected', transport: TRANSPORT, reason: connection.closeReason });
  }
}

interface Newcomer {
  readonly userId: string;
  readonly protocol: string;
}

/** The user that asks, and the subprotocol to speak; or what is wrong with the request. */
function newcomerOf(request: HttpRequest, users: RequestUser): Newcomer | ChatError {
  const fields = upgradeFields(request.getQuery() ?? '');
  if (fields === null)
    return new ChatError('invalid_request', 'Each field of the query must be given once, in UTF-8.');
  const userId = users.of(users.valuesIn(request), [fields.get('userId')]);
  if (userId instanceof ChatError) return userId;
  const offered = request.getHeader('sec-websocket-protocol');
  if (offered === '') return { userId, protocol: '' };
  const known = offered.split(',').some((name) => name.trim() === WS_SUBPROTOCOL);
  if (known) return { userId, protocol: WS_SUBPROTOCOL };
  return new ChatError('invalid_request', `The subprotocol is ${WS_SUBPROTOCOL}.`);
}
