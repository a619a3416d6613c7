import { asChatError } from '../application/chatErrors.ts';
import { postMessage } from '../application/commands/postMessage.ts';
import { ackLevel } from '../application/receipts/ackLevel.ts';
import { ChatError } from '../contracts/errors.ts';
import type { AckLevel } from '../contracts/frames/ackLevel.ts';
import type { ClientFrame, FrameOf } from '../contracts/frames/clientFrames.ts';
import type { ServerFrame } from '../contracts/frames/serverFrames.ts';
import type { SessionContext } from './context.ts';
import { MalformedFrame } from './malformedFrame.ts';
import { changeMessage } from './messageChanges.ts';
import { Subscriptions } from './subscriptions.ts';
import type { ClientSocket } from './transport.ts';
import { parseClientFrame } from './transports/native/clientFrame.ts';

/**
 * The requests of one connected client. Knows neither NATS nor what carries the frames.
 *
 * Every request gets exactly one answer: its reply or an `error`. A request that fails affects nothing but itself.
 * After {@link Session.end} nothing is sent any more and everything the session held is given back.
 */
export class Session {
  readonly #context: SessionContext;
  readonly #socket: ClientSocket;
  readonly #subscriptions: Subscriptions;
  #inFlight = 0;
  #ended = false;

  constructor(context: SessionContext, socket: ClientSocket) {
    this.#context = context;
    this.#socket = socket;
    this.#subscriptions = new Subscriptions(context, socket);
    context.presence.connected(socket.userId);
  }

  /** Requests not answered yet: a graceful stop waits for them. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Takes one text frame from the client. */
  receive(text: string): void {
    this.take(parseClientFrame(text));
  }

  /** Takes one parsed frame from the client. */
  take(frame: ClientFrame | MalformedFrame): void {
    if (frame instanceof MalformedFrame) this.#fail(frame.id, frame.error);
    else if (frame.op === 'typing') this.#typing(frame);
    else if (this.#inFlight >= this.#context.options.requestsMax) {
      this.#fail(frame.id, new ChatError('overloaded', 'Too many requests of this socket are in flight.'));
    } else this.#answer(frame);
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#subscriptions.end();
    this.#context.presence.disconnected(this.#socket.userId);
  }

  /** One promise chain for each request and no more: this runs for every message. */
  #answer(frame: Request): void {
    this.#inFlight += 1;
    this.#perform(frame).then(
      (reply) => this.#finish(reply),
      (error) => this.#finish(this.#failure(frame.id, asChatError(error))),
    );
  }

  #finish(reply: ServerFrame | null): void {
    this.#inFlight -= 1;
    if (reply !== null) this.#socket.reply(reply);
  }

  /** @returns the reply, or null when it was sent already */
  #perform(frame: Request): Promise<ServerFrame | null> {
    switch (frame.op) {
      case 'send':
        return this.#send(frame);
      case 'join':
        return this.#subscriptions.join(frame).then(() => null);
      case 'leave':
        this.#subscriptions.leave(frame.conversationId);
        return Promise.resolve({ op: 'left', id: frame.id, conversationId: frame.conversationId });
      case 'read':
        return this.#read(frame);
      case 'ping':
        return Promise.resolve({ op: 'pong', id: frame.id });
      case 'edit':
      case 'delete':
      case 'react':
      case 'unreact':
        return changeMessage(this.#context.application, this.#socket.userId, frame);
      case 'presence':
        return this.#presence(frame);
    }
  }

  async #presence({ id, userIds }: FrameOf<'presence'>): Promise<ServerFrame> {
    const online = await this.#context.presence.online(userIds);
    const states = userIds.map((userId) => [userId, online.has(userId) ? 'online' : 'offline'] as const);
    // Object.fromEntries defines each key: a user named __proto__ is one like any other.
    return { op: 'presence', id, presence: Object.fromEntries(states) };
  }

  #send(frame: FrameOf<'send'>): Promise<ServerFrame> {
    const { conversationId, content, clientMessageId, replyTo, attachments, id } = frame;
    const { userId } = this.#socket;
    const request = { conversationId, userId, content, clientMessageId, replyTo, attachments };
    const { application, historyProgress } = this.#context;
    return postMessage(application, request).then(({ messageId, seq, duplicate }) => {
      const ack = (level: AckLevel): ServerFrame => ({ op: 'ack', id, messageId, seq, level, duplicate });
      if (frame.level !== 'durable') return ack('accepted');
      return ackLevel(historyProgress, { conversationId, seq }).then(ack);
    });
  }

  async #read({ id, conversationId, seq }: FrameOf<'read'>): Promise<ServerFrame> {
    const { userId } = this.#socket;
    const marked = await this.#context.readMarks.mark({ conversationId, userId, seq });
    return { op: 'ack', id, conversationId, seq: marked.seq };
  }

  /** Has no answer: what cannot be passed on is dropped. */
  #typing({ conversationId }: FrameOf<'typing'>): void {
    const { signals, typing } = this.#context;
    const { userId } = this.#socket;
    if (!this.#subscriptions.has(conversationId) || !typing.allow(conversationId, userId)) return;
    signals.publish({ type: 'typing', conversationId, userId });
  }

  #fail(id: number | null, cause: unknown): void {
    this.#socket.reply(this.#failure(id, cause));
  }

  #failure(id: number | null, cause: unknown): ServerFrame {
    if (!(cause instanceof ChatError)) this.#context.options.onFault(cause);
    const error =
      cause instanceof ChatError ? cause : new ChatError('internal', 'Something went wrong here.');
    const { code, message: detail, retryable, retryAfterMs, errors } = error;
    const optional = {
      ...(retryAfterMs !== undefined && { retryAfterMs }),
      ...(errors.length > 0 && { errors }),
    };
    return { op: 'error', id, code, detail, retryable, ...optional };
  }
}

/** A frame that is answered. */
type Request = Exclude<ClientFrame, { op: 'typing' }>;
