import { Connection } from './connection.ts';
import type { ConnectionState } from './connectionStates.ts';
import { messageDelivery, readDelivery } from './deliveries.ts';
import { Emitter } from './emitter.ts';
import { AlreadyJoinedError, ClientClosedError, RequestRefusedError } from './errors.ts';
import { checkJoinTarget, checkSeq, checkUserId, checkUserIds } from './limits.ts';
import { type ChatClientOptions, type Settings, settingsOf } from './options.ts';
import { Outbox, type OutboxLink } from './outbox.ts';
import { type AckFrame, INBOX, type Presence, type ServerFrame } from './protocol.ts';
import { RequestQueue } from './requestQueue.ts';
import { type Asked, changeRequest, presenceRequest } from './requests.ts';
import { Room, type SendOptions } from './room.ts';
import { OutgoingMessage, type SentMessage } from './sentMessage.ts';
import { type JoinOptions, Subscription } from './subscription.ts';
import { checkSocketUrl, webSocketOf } from './webSocket.ts';

/** What `chat.on` takes. */
export interface ChatClientEvents {
  /** The connection has another state. */
  state: ConnectionState;
  /** The server refused something that no call waits for. */
  error: RequestRefusedError;
  /** The client has closed for good: by the app (`ClientClosedError`) or the server (`ConnectionRefusedError`). */
  closed: Error;
}

/**
 * A chat client: one connection, any number of rooms, one queue of messages.
 *
 * Connects when something is asked for first, and again whenever the connection is lost; then rooms join from where they
 * are and what was not acknowledged is sent again. See `connection.ts` for its states, `subscription.ts` and `outbox.ts`
 * for what the rooms and the queue promise.
 */
export class ChatClient {
  readonly #settings: Settings;
  readonly #connection: Connection;
  readonly #outbox: Outbox;
  readonly #requests: RequestQueue;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #emitter = new Emitter<ChatClientEvents>();
  #requestId = 0;

  /**
   * @throws InvalidArgumentError for options that cannot be right
   * @throws WebSocketMissingError in Node.js before 22 without the option `WebSocket`
   */
  constructor(options: ChatClientOptions) {
    checkUserId(options.userId);
    if (typeof options.url === 'string') checkSocketUrl(options.url);
    this.#settings = settingsOf(options);
    const nextRequestId = () => this.#nextRequestId();
    this.#connection = new Connection(this.#settings, webSocketOf(options.WebSocket), {
      nextRequestId,
      onOpen: () => this.#onOpen(),
      onLost: () => this.#onLost(),
      onFrame: (frame) => this.#onFrame(frame),
      onState: (state) => this.#emitter.emit('state', state),
      onClosed: (reason) => this.#onClosed(reason),
    });
    const link: OutboxLink = {
      nextRequestId,
      isOpen: () => this.#connection.state === 'open',
      send: (frame) => this.#connection.send(frame),
    };
    this.#outbox = new Outbox(this.#settings, link);
    this.#requests = new RequestQueue(this.#settings, link);
  }

  get userId(): string {
    return this.#settings.userId;
  }

  get state(): ConnectionState {
    return this.#connection.state;
  }

  /** Messages and receipts that are not acknowledged yet, changes and questions that are not answered. */
  get pending(): number {
    return this.#outbox.pending + this.#requests.pending;
  }

  /** @returns what takes the listener away again */
  on<Kind extends keyof ChatClientEvents>(
    kind: Kind,
    listener: (event: ChatClientEvents[Kind]) => void,
  ): () => void {
    return this.#emitter.on(kind, listener);
  }

  /**
   * Connects now: before anything is asked for, or at once when the app knows better than the delay. A connection that is open
   * is asked whether it is still alive. So call it when the browser says `online`, or that the page is visible again.
   */
  connect(): void {
    this.#throwIfClosed('Connecting');
    this.#connection.start();
  }

  /**
   * Follows a conversation, or with `"*"` all of this user's.
   *
   * @throws InvalidArgumentError, AlreadyJoinedError, ClientClosedError
   */
  join(conversationId: string | typeof INBOX, options: JoinOptions = {}): Room {
    this.#throwIfClosed(`Joining ${conversationId}`);
    checkJoinTarget(conversationId);
    if (options.after !== undefined) checkSeq('after', options.after);
    if (this.#subscriptions.has(conversationId)) throw new AlreadyJoinedError(conversationId);
    const subscription = new Subscription(
      {
        settings: this.#settings,
        nextRequestId: () => this.#nextRequestId(),
        isOpen: () => this.#connection.state === 'open',
        send: (frame) => this.#connection.send(frame),
        onEnded: (ended) => this.#forget(ended),
      },
      conversationId,
      options,
    );
    this.#subscriptions.set(conversationId, subscription);
    if (this.#connection.state === 'open') subscription.onConnected();
    else this.#startIfIdle();
    return new Room(subscription, this.#roomLink());
  }

  /**
   * Who of these users is online: has a socket open somewhere. Asked again after a lost connection, as it changes nothing.
   *
   * @param userIds 1–200
   * @throws InvalidArgumentError, RequestQueueFullError, ClientClosedError; rejects with RequestRefusedError,
   *   RequestTimeoutError, ClientClosedError or ConnectionRefusedError
   */
  presence(userIds: readonly string[]): Promise<Presence> {
    checkUserIds(userIds);
    return this.#ask('Asking who is online', presenceRequest(userIds));
  }

  /**
   * Closes the client for good: rooms end, what is not acknowledged fails with `ClientClosedError`, and a change that is on
   * its way with `OutcomeUnknownError`. To lose nothing, wait until `pending` is 0 first.
   */
  close(): void {
    this.#connection.stop();
  }

  #roomLink(): ConstructorParameters<typeof Room>[1] {
    const { bufferMax, typingIntervalMs, clock } = this.#settings;
    return {
      bufferMax,
      typingIntervalMs,
      nowMs: () => clock.nowMs(),
      sendMessage: (conversationId, content, options) => this.#sendMessage(conversationId, content, options),
      sendRead: (conversationId, seq) => this.#sendRead(conversationId, seq),
      sendTyping: (conversationId) => this.#connection.send({ op: 'typing', conversationId }),
      change: (wanted) => this.#ask('Changing a message', changeRequest(wanted)),
      leave: (subscription) => this.#leave(subscription),
    };
  }

  #sendMessage(conversationId: string, content: string, options: SendOptions): SentMessage {
    this.#throwIfClosed('Sending a message');
    const clientMessageId = options.clientMessageId ?? this.#settings.newId();
    const replyTo = options.replyTo ?? null;
    const { level, attachments = [] } = options;
    const message = new OutgoingMessage(conversationId, content, {
      clientMessageId,
      replyTo,
      // The message may wait long: what the app does with its own list meanwhile is not to change it.
      attachments: [...attachments],
      level,
    });
    this.#outbox.add(messageDelivery(message));
    this.#startIfIdle();
    return message;
  }

  #sendRead(conversationId: string, seq: number): Promise<AckFrame> {
    this.#throwIfClosed('Sending a receipt');
    const { delivery, acked } = readDelivery(conversationId, seq);
    this.#outbox.add(delivery);
    this.#startIfIdle();
    return acked;
  }

  #ask<Answer>(what: string, { request, answered }: Asked<Answer>): Promise<Answer> {
    this.#throwIfClosed(what);
    this.#requests.add(request);
    this.#startIfIdle();
    return answered;
  }

  #leave(subscription: Subscription): void {
    if (subscription.state === 'ended') return;
    subscription.end(null);
    const { conversationId } = subscription;
    this.#connection.send({ op: 'leave', id: this.#nextRequestId(), conversationId });
  }

  #forget(subscription: Subscription): void {
    if (this.#subscriptions.get(subscription.conversationId) !== subscription) return;
    this.#subscriptions.delete(subscription.conversationId);
  }

  #onOpen(): void {
    for (const subscription of [...this.#subscriptions.values()]) subscription.onConnected();
    this.#outbox.pump();
    this.#requests.pump();
  }

  #onLost(): void {
    this.#outbox.onLost();
    this.#requests.onLost();
    for (const subscription of [...this.#subscriptions.values()]) subscription.onLost();
  }

  #onClosed(reason: Error): void {
    const asked = reason instanceof ClientClosedError;
    for (const subscription of [...this.#subscriptions.values()]) subscription.end(asked ? null : reason);
    const failure = (what: string) => (asked ? new ClientClosedError(what) : reason);
    this.#outbox.close(failure);
    this.#requests.close(failure);
    this.#emitter.emit('closed', reason);
  }

  #onFrame(frame: ServerFrame): void {
    switch (frame.op) {
      case 'event':
        this.#subscriptions.get(frame.event.conversationId)?.onEvent(frame);
        this.#subscriptions.get(INBOX)?.onEvent(frame);
        return;
      case 'ack':
        return this.#outbox.onAck(frame);
      case 'joined': {
        const subscription = this.#subscriptions.get(frame.conversationId);
        if (subscription?.awaits(frame.id) === true) subscription.onJoined(frame);
        return;
      }
      case 'resync':
        return this.#subscriptions.get(frame.conversationId)?.onResync(frame.reason);
      case 'typing':
        return this.#onTyping(frame);
      case 'error':
        return this.#onError(frame);
      case 'left':
        return this.#onLeft(frame);
      case 'changed':
      case 'presence':
        return this.#requests.onAnswer(frame);
      case 'pong':
      case 'draining':
        // The connection's own.
        return;
    }
  }

  /** The answer to a request needs nothing done; without one, the user was removed. */
  #onLeft({ id, conversationId }: Extract<ServerFrame, { op: 'left' }>): void {
    if (id !== null) return;
    this.#subscriptions.get(conversationId)?.onRemoved();
  }

  #onTyping({ conversationId, userId }: Extract<ServerFrame, { op: 'typing' }>): void {
    for (const target of [conversationId, INBOX]) {
      const emitter = this.#subscriptions.get(target)?.emitter;
      emitter?.emit('typing', { type: 'typing', conversationId, userId });
    }
  }

  #onError(frame: Extract<ServerFrame, { op: 'error' }>): void {
    const { id } = frame;
    if (this.#outbox.onError(frame) || this.#requests.onError(frame)) return;
    const joining = [...this.#subscriptions.values()].find((each) => id !== null && each.awaits(id));
    if (joining !== undefined) return joining.onRefused(frame);
    this.#emitter.emit('error', new RequestRefusedError('A request', frame));
  }

  #startIfIdle(): void {
    if (this.#connection.state === 'idle') this.#connection.start();
  }

  #nextRequestId(): number {
    this.#requestId += 1;
    return this.#requestId;
  }

  #throwIfClosed(what: string): void {
    const reason = this.#connection.closeReason;
    if (reason === null) return;
    throw reason instanceof ClientClosedError ? new ClientClosedError(what) : reason;
  }
}
