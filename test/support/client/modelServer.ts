import type { ClientFrame, EventFrame, ServerFrame } from '../../../client/src/protocol.ts';
import { C1, M1 } from '../domain/conversations.ts';
import type { FakeWebSocket } from './fakeWebSocket.ts';
import { eventFrame } from './sdkClient.ts';

/** One connection: frames travel in order, each when the test says so. */
class Connection {
  readonly socket: FakeWebSocket;
  readonly toServer: ClientFrame[] = [];
  toClient: ServerFrame[] = [];
  accepted = false;
  joined = false;

  constructor(socket: FakeWebSocket) {
    this.socket = socket;
    socket.onSent = (frame) => this.toServer.push(frame);
  }
}

/**
 * What the edge promises, as simply as it can be said: a log of one conversation, messages known by their clientMessageId,
 * events linked by `prev`, frames of a connection in order. The test decides when frames travel and what is lost.
 */
export class ModelServer {
  /** The conversation's events; sequences have holes. */
  readonly log: EventFrame[] = [];
  /** The contents of the edits that were made, in order: it knows none of them again. */
  readonly edits: string[] = [];
  /** How many of the next messages and edits are refused for now. */
  refusals = 0;
  #seq = 0;
  #connection: Connection | null = null;

  /** A socket that the client opened: the latest is the one that counts. */
  connect(socket: FakeWebSocket): void {
    this.#connection = new Connection(socket);
  }

  get idle(): boolean {
    const connection = this.#connection;
    return connection !== null && connection.toServer.length === 0 && connection.toClient.length === 0;
  }

  /** Somebody says something. */
  post(clientMessageId: string): EventFrame {
    this.#seq += 1 + (this.#seq % 3);
    const frame = eventFrame(this.#seq, this.log.at(-1)?.seq ?? 0);
    const named = { ...frame, event: { ...frame.event, clientMessageId } } as EventFrame;
    this.log.push(named);
    if (this.#connection?.joined === true) this.#connection.toClient.push(named);
    return named;
  }

  /** The server takes the next `count` frames of the client. */
  take(count: number): void {
    const connection = this.#live();
    if (connection === null) return;
    if (!connection.accepted) {
      connection.accepted = true;
      connection.socket.accept();
    }
    for (const frame of connection.toServer.splice(0, count)) this.#answer(connection, frame);
  }

  /** The client gets the next `count` frames of the server. */
  deliver(count: number): void {
    const connection = this.#live();
    for (const frame of connection?.toClient.splice(0, count) ?? []) connection?.socket.say(frame);
  }

  /** The next frame to the client never arrives. */
  lose(): void {
    this.#live()?.toClient.shift();
  }

  /** The client gets an event that it had, or has not had yet. */
  repeat(nth: number): void {
    const event = this.log[nth % Math.max(1, this.log.length)];
    const connection = this.#live();
    if (event !== undefined && connection?.joined === true) connection.toClient.push(event);
  }

  /** What is on its way is lost; what the server took it has. */
  drop(code = 1006): void {
    const connection = this.#live();
    this.#connection = null;
    connection?.socket.end(code);
  }

  /** A graceful stop: says so, answers what it has, closes. */
  restart(): void {
    const connection = this.#live();
    if (connection?.accepted !== true) return this.drop();
    connection.toClient.push({ op: 'draining', retryAfterMs: 700 });
    this.take(Number.POSITIVE_INFINITY);
    this.deliver(Number.POSITIVE_INFINITY);
    this.drop(4012);
  }

  #live(): Connection | null {
    const connection = this.#connection;
    return connection === null || connection.socket.endedBy !== null ? null : connection;
  }

  #answer(connection: Connection, frame: ClientFrame): void {
    const { toClient } = connection;
    switch (frame.op) {
      case 'join': {
        const head = this.log.at(-1)?.seq ?? 0;
        toClient.push({ op: 'joined', id: frame.id, conversationId: C1, head, epoch: 'e1' });
        toClient.push(...this.log.filter(({ seq }) => seq > (frame.after ?? head)));
        connection.joined = true;
        return;
      }
      case 'send':
        toClient.push(this.#refusal(frame.id) ?? this.#store(frame));
        return;
      case 'edit':
        toClient.push(this.#refusal(frame.id) ?? this.#edit(frame));
        return;
      case 'presence': {
        const presence = Object.fromEntries(frame.userIds.map((userId) => [userId, 'online' as const]));
        toClient.push({ op: 'presence', id: frame.id, presence });
        return;
      }
      case 'ping':
        toClient.push({ op: 'pong', id: frame.id });
        return;
      case 'leave':
      case 'read':
      case 'typing':
      case 'delete':
      case 'react':
      case 'unreact':
        throw new Error(`The model knows no ${frame.op}`);
    }
  }

  #refusal(id: number): ServerFrame | null {
    if (this.refusals === 0) return null;
    this.refusals -= 1;
    return { op: 'error', id, code: 'log_unavailable', retryable: true };
  }

  #edit({ id, messageId, content }: Extract<ClientFrame, { op: 'edit' }>): ServerFrame {
    this.edits.push(content);
    const seq = this.edits.length;
    return { op: 'changed', id, messageId, seq, position: `e1:${seq}`, at: '2026-11-23T10:30:15.123Z' };
  }

  #store({ id, clientMessageId }: Extract<ClientFrame, { op: 'send' }>): ServerFrame {
    const known = this.log.find(
      ({ event }) => 'clientMessageId' in event && event.clientMessageId === clientMessageId,
    );
    const { seq } = known ?? this.post(clientMessageId);
    return { op: 'ack', id, messageId: M1, seq, level: 'accepted', duplicate: known !== undefined };
  }
}
