import type { Socket } from 'socket.io';
import { fieldErrors } from '../../../contracts/errors.ts';
import { ClientFrame } from '../../../contracts/frames/clientFrames.ts';
import { DISCONNECTS, type Disconnect } from '../../../contracts/frames/disconnects.ts';
import type { ServerFrame } from '../../../contracts/frames/serverFrames.ts';
import type { SessionContext } from '../../context.ts';
import type { CloseReason, TransportName } from '../../edgeEvents.ts';
import type { LinkedEvent } from '../../linkedEvent.ts';
import { MalformedFrame } from '../../malformedFrame.ts';
import { Session } from '../../session.ts';
import type { ClientSocket, Fanout } from '../../transport.ts';
import { GuardedSocket } from './guardedSocket.ts';

export interface SocketIoConnectionOptions {
  readonly userId: string;
  readonly fanout: Fanout;
  /** Polling subscribers by conversation; kept by the connections themselves. */
  readonly pollers: Map<string, Set<SocketIoConnection>>;
  /** Bytes that may wait for a client that does not read or poll. */
  readonly unsentBytesMax: number;
  readonly onSlow: () => void;
}

type Acknowledge = (answer: object) => void;

/** Unsent bytes from which a sender of much (a catch-up) is asked to wait. */
const HIGH_WATER_BYTES = 64 * 1_024;

/** The uWebSockets.js topic of a conversation's Socket.IO packets. */
export function topicOf(conversationId: string): string {
  return `io:${conversationId}`;
}

/**
 * One Socket.IO client. Requests come as events with an acknowledgement; their answers go back through it. Every event that
 * brings one gets exactly one answer, also those that say nothing back on other transports, are not known or cannot be read.
 *
 * While it polls, everything goes through Engine.IO's buffer, and conversations are followed in {@link
 * SocketIoConnectionOptions.pollers}. Once it is on a WebSocket, events are written to it directly and conversations are
 * topics. The change from the one to the other happens within the event by which Engine.IO announces it, just before it
 * empties its buffer onto the WebSocket: so nothing is lost, doubled or overtaken.
 */
export class SocketIoConnection implements ClientSocket {
  readonly #socket: Socket;
  readonly #options: SocketIoConnectionOptions;
  readonly session: Session;
  readonly #acknowledge = new Map<number, Acknowledge>();
  readonly #conversations = new Set<string>();
  #requests = 0;
  /** Bytes in Engine.IO's buffer while the client polls. */
  #queuedBytes = 0;
  #waiters: (() => void)[] = [];
  #webSocket: GuardedSocket | null = null;
  open = true;
  closeReason: CloseReason = 'client';

  constructor(socket: Socket, context: SessionContext, options: SocketIoConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.session = new Session(context, this);
    socket.onAny((op: unknown, ...args: unknown[]) => this.#take(op, args));
    this.#useWebSocket();
    if (this.#webSocket === null) this.#watchPolling();
  }

  get userId(): string {
    return this.#options.userId;
  }

  get fanout(): Fanout {
    return this.#options.fanout;
  }

  get transport(): TransportName {
    return this.#webSocket === null ? 'socketio-polling' : 'socketio-websocket';
  }

  onClose(): void {
    this.open = false;
    for (const conversationId of [...this.#conversations]) this.unsubscribe(conversationId);
    this.#acknowledge.clear();
    this.session.end();
    this.#wake();
  }

  reply(frame: ServerFrame): void {
    if (!this.open) return;
    const { op, ...rest } = frame;
    if (!('id' in rest) || rest.id === null) {
      this.#socket.emit(op, withoutId(rest));
      return;
    }
    this.#answer(rest.id, op === 'error' ? { error: withoutId(rest) } : withoutId(rest));
  }

  deliver(event: LinkedEvent): boolean {
    if (!this.open) return false;
    const frame = event.frame('socketio');
    const { conn } = this.#socket;
    if (this.#webSocket !== null && isIdle(conn)) {
      this.#webSocket.send(frame, false);
      return this.#webSocket.getBufferedAmount() < HIGH_WATER_BYTES;
    }
    // Engine.IO puts its own packet type in front: 4, a message.
    conn.write(Buffer.from(frame.buffer, frame.byteOffset + 1, frame.length - 1).toString());
    this.#queuedBytes += frame.length;
    if (this.#queuedBytes > this.#options.unsentBytesMax) this.#closeSlow();
    return this.#queuedBytes < HIGH_WATER_BYTES;
  }

  drained(): Promise<void> {
    const unsent = this.#webSocket?.getBufferedAmount() ?? this.#queuedBytes;
    if (!this.open || unsent === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  subscribe(conversationId: string): void {
    if (!this.open) return;
    this.#conversations.add(conversationId);
    if (this.#webSocket !== null) this.#webSocket.subscribe(topicOf(conversationId));
    else this.#poll(conversationId);
  }

  unsubscribe(conversationId: string): void {
    if (!this.#conversations.delete(conversationId)) return;
    this.#webSocket?.unsubscribe(topicOf(conversationId));
    this.#unpoll(conversationId);
  }

  /** Closes the transport, not the Socket.IO session, so that stock clients come back by themselves. */
  close({ code, reason, metric }: Disconnect): void {
    if (!this.open) return;
    this.closeReason = metric;
    if (this.#webSocket !== null) this.#webSocket.end(code, reason);
    else this.#socket.conn.close(true);
  }

  #closeSlow(): void {
    if (this.closeReason === 'slow_consumer') return;
    this.#options.onSlow();
    this.close(DISCONNECTS.slowConsumer);
  }

  #useWebSocket(): void {
    const webSocket: unknown = Reflect.get(this.#socket.conn.transport, 'socket');
    if (!(webSocket instanceof GuardedSocket)) return;
    this.#webSocket = webSocket;
    webSocket.onDrain = () => {
      if (webSocket.getBufferedAmount() === 0) this.#wake();
    };
    webSocket.onTooLarge = () => {
      this.closeReason = DISCONNECTS.tooLarge.metric;
    };
    webSocket.onDropped = () => {
      if (this.closeReason === 'client') this.#options.onSlow();
      this.closeReason = 'slow_consumer';
    };
  }

  #watchPolling(): void {
    const { conn } = this.#socket;
    conn.on('flush', () => {
      this.#queuedBytes = 0;
      this.#wake();
    });
    conn.once('upgrade', () => {
      this.#useWebSocket();
      for (const conversationId of this.#conversations) {
        this.#unpoll(conversationId);
        this.#webSocket?.subscribe(topicOf(conversationId));
      }
    });
  }

  #poll(conversationId: string): void {
    const { pollers } = this.#options;
    const subscribers = pollers.get(conversationId) ?? new Set();
    pollers.set(conversationId, subscribers.add(this));
  }

  #unpoll(conversationId: string): void {
    const { pollers } = this.#options;
    const subscribers = pollers.get(conversationId);
    subscribers?.delete(this);
    if (subscribers?.size === 0) pollers.delete(conversationId);
  }

  #take(op: unknown, args: unknown[]): void {
    const last = args.at(-1);
    const acknowledge = typeof last === 'function' ? (last as Acknowledge) : null;
    const payloads = acknowledge === null ? args : args.slice(0, -1);
    this.#requests += 1;
    const id = this.#requests;
    if (acknowledge !== null) this.#acknowledge.set(id, acknowledge);
    const request = readRequest(op, id, payloads);
    this.session.take(request);
    // To whom nobody answers, the acknowledgement says that it was taken.
    if ('op' in request && request.op === 'typing') this.#answer(id, {});
  }

  /** Only the first answer to a request counts; of one without an acknowledgement, none does. */
  #answer(id: number, answer: object): void {
    const acknowledge = this.#acknowledge.get(id);
    this.#acknowledge.delete(id);
    acknowledge?.(answer);
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}

function readRequest(op: unknown, id: number, payloads: readonly unknown[]): ClientFrame | MalformedFrame {
  const [payload] = payloads;
  if (payloads.length > 1) {
    return new MalformedFrame(id, 'An event has one payload at most, and its acknowledgement behind it.');
  }
  if (payload !== undefined && (typeof payload !== 'object' || payload === null || Array.isArray(payload))) {
    return new MalformedFrame(id, 'The payload of an event must be an object.');
  }
  if (payload !== undefined && ('op' in payload || 'id' in payload)) {
    return new MalformedFrame(
      id,
      'The event has neither op nor id: its name and its acknowledgement say it.',
    );
  }
  const parsed = ClientFrame.safeParse({ ...payload, op, ...(op !== 'typing' && { id }) });
  if (parsed.success) return parsed.data;
  return new MalformedFrame(id, 'The event violates its schema.', fieldErrors(parsed.error.issues));
}

function withoutId(frame: object): object {
  const { id: _id, ...rest } = frame as { id?: unknown };
  return rest;
}

/** Nothing waits in Engine.IO's own buffer, so what is written now is not ahead of anything. */
function isIdle(conn: Socket['conn']): boolean {
  const buffer: unknown = Reflect.get(conn, 'writeBuffer');
  return Array.isArray(buffer) && buffer.length === 0;
}
