import type uWS from 'uWebSockets.js';
import { type DefaultEventsMap, Server, type Socket } from 'socket.io';
import { Adapter } from 'socket.io-adapter';
import { ChatError } from '../../../contracts/errors.ts';
import { FRAME_BYTES_MAX } from '../../../contracts/frames/clientFrames.ts';
import { DISCONNECTS } from '../../../contracts/frames/disconnects.ts';
import type { SessionContext } from '../../context.ts';
import type { OnEdgeEvent } from '../../edgeEvents.ts';
import type { Gate } from '../../gate/gate.ts';
import type { AnswerHeaders } from '../../http/answerHeaders.ts';
import type { RequestUser } from '../../http/requestUser.ts';
import type { LinkedEvent } from '../../linkedEvent.ts';
import type { Drainable, Fanout } from '../../transport.ts';
import { GuardedApp } from './guardedApp.ts';
import { OneSession } from './oneSession.ts';
import { SocketIoConnection, topicOf } from './socketIoConnection.ts';

/** A socket with what was found out about it before it was let in. */
type ChatSocket = Socket<DefaultEventsMap, DefaultEventsMap, DefaultEventsMap, { userId: string }>;
type ChatServer = Server<DefaultEventsMap, DefaultEventsMap, DefaultEventsMap, { userId: string }>;

export interface SocketIoTransportOptions {
  readonly gate: Gate;
  readonly backpressureBytesMax: number;
  readonly answerHeaders: AnswerHeaders;
  readonly users: RequestUser;
  readonly onEvent: OnEdgeEvent;
  readonly onFault: (error: unknown) => void;
}

/**
 * Socket.IO on `/socket.io/`: the real server, on the same uWebSockets.js app, for stock clients over WebSocket and
 * long-polling. It carries requests and acks; events go past its rooms, as ready packets to a uWebSockets.js topic, so that
 * an event costs the same for a thousand sockets as on `/ws`. Clients that poll get them one by one.
 */
export class SocketIoTransport implements Drainable, Fanout {
  readonly #app: uWS.TemplatedApp;
  readonly #options: SocketIoTransportOptions;
  readonly #server: ChatServer;
  readonly #connections = new Set<SocketIoConnection>();
  readonly #oneSession = new OneSession();
  /** Polling subscribers by conversation. */
  readonly #pollers = new Map<string, Set<SocketIoConnection>>();

  constructor(app: uWS.TemplatedApp, context: SessionContext, options: SocketIoTransportOptions) {
    this.#app = app;
    this.#options = options;
    this.#server = new Server({
      serveClient: false,
      adapter: NoRooms,
      maxHttpBufferSize: FRAME_BYTES_MAX,
      connectTimeout: 10_000,
      httpCompression: false,
    });
    this.#server.attachApp(new GuardedApp(app, options));
    // A handshake makes a connection, whether or not a session follows.
    options.gate.count(() => this.#server.engine.clientsCount);
    this.#server.engine.on('connection', (connection: Socket['conn']) => this.#oneSession.watch(connection));
    this.#server.use((socket, next) => {
      const userId = userIdOf(socket, options.users);
      if (userId instanceof ChatError) {
        this.#oneSession.release(socket.conn);
        return next(refusal(userId));
      }
      socket.data.userId = userId;
      next();
    });
    this.#server.on('connection', (socket) => this.#open(socket, context));
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
    const packet = event.frame('socketio');
    this.#app.publish(topicOf(conversationId), packet, false);
    const pollers = this.#pollers.get(conversationId);
    if (pollers !== undefined) for (const connection of [...pollers]) connection.deliver(event);
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

  /** Ends what is left, with its timers. */
  async stop(): Promise<void> {
    await this.#server.close();
  }

  #open(socket: ChatSocket, context: SessionContext): void {
    const { userId } = socket.data;
    const connection: SocketIoConnection = new SocketIoConnection(socket, context, {
      userId,
      fanout: this,
      pollers: this.#pollers,
      unsentBytesMax: this.#options.backpressureBytesMax,
      onSlow: () => {
        this.#options.onEvent({ type: 'slowConsumer', transport: connection.transport, userId });
      },
    });
    this.#connections.add(connection);
    this.#options.onEvent({ type: 'connected', transport: connection.transport });
    socket.on('disconnect', () => {
      const { transport, closeReason: reason } = connection;
      this.#connections.delete(connection);
      this.#oneSession.release(socket.conn);
      connection.onClose();
      this.#options.onEvent({ type: 'disconnected', transport, reason });
    });
  }
}

/** Rooms are not used: without them every connection takes less memory. */
class NoRooms extends Adapter {
  override addAll(): void {}
  override del(): void {}
  override delAll(): void {}
}

/** In `auth` or in the query; when in both, the same. */
function userIdOf({ handshake }: ChatSocket, users: RequestUser): string | ChatError {
  const { auth, query, headers } = handshake;
  return users.of(users.valuesAmong(headers), [auth.userId, query.userId]);
}

/** Reaches the client as `connect_error` with these data. */
function refusal({ code, message: detail, retryable }: ChatError): Error {
  return Object.assign(new Error(detail), { data: { code, detail, retryable } });
}
