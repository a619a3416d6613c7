import { BufferOverflowError, RoomLeftError } from './errors.ts';
import { ItemQueue } from './itemQueue.ts';
import {
  checkClientMessageId,
  checkContent,
  checkConversationId,
  checkMessageId,
  checkSeq,
} from './limits.ts';
import type { AckFrame, AckLevel } from './protocol.ts';
import type { RoomEvents, RoomItem } from './roomEvents.ts';
import type { SentMessage } from './sentMessage.ts';
import type { Subscription } from './subscription.ts';
import type { SubscriptionState } from './subscriptionStates.ts';

/** What a message may have besides its content. */
export interface SendOptions {
  /** 1–128 printable characters; whatever is sent with the same one is the same message. Default: a new UUID. */
  readonly clientMessageId?: string;
  /** The message that this one answers, `m_…`. */
  readonly replyTo?: string;
  /**
   * `durable`: have it acknowledged when the server's history has it on disk as well. Its state then becomes `durable`, or
   * `accepted` when that takes more than eight seconds.
   */
  readonly level?: AckLevel;
}

/** What a room needs of its client. */
export interface RoomLink {
  readonly bufferMax: number;
  readonly typingIntervalMs: number;
  nowMs(): number;
  sendMessage(conversationId: string, content: string, options: SendOptions): SentMessage;
  sendRead(conversationId: string, seq: number): Promise<AckFrame>;
  sendTyping(conversationId: string): void;
  leave(subscription: Subscription): void;
}

/**
 * A conversation, or the inbox, as the app follows it. Survives lost connections: every event comes once and in order, or
 * `resync` says that this is no longer possible. Made by `chat.join`.
 *
 * What comes is kept for the first iterator until there is one, or a listener of `event`. Listeners hear what comes after
 * they were added: add them in the same turn in which you join.
 */
export class Room implements AsyncIterable<RoomItem> {
  readonly #subscription: Subscription;
  readonly #link: RoomLink;
  /** What came before anybody listened or iterated; null once somebody does. */
  #early: ItemQueue<RoomItem> | null;
  #typedAtMs = Number.NEGATIVE_INFINITY;

  /** @internal */
  constructor(subscription: Subscription, link: RoomLink) {
    this.#subscription = subscription;
    this.#link = link;
    this.#early = this.#openQueue();
  }

  get conversationId(): string {
    return this.#subscription.conversationId;
  }

  /** The last sequence that was given out: what to join with after a restart. Null before anything is known. */
  get lastSeq(): number | null {
    return this.#subscription.lastSeq;
  }

  /** The incarnation of the log that `lastSeq` is of; keep the two together. */
  get epoch(): string | null {
    return this.#subscription.epoch;
  }

  get state(): SubscriptionState {
    return this.#subscription.state;
  }

  /** @returns what takes the listener away again */
  on<Kind extends keyof RoomEvents>(kind: Kind, listener: (event: RoomEvents[Kind]) => void): () => void {
    if (kind === 'event') this.#takeEarly()?.return();
    return this.#subscription.emitter.on<Kind>(kind, listener as never);
  }

  /**
   * Events and resyncs as an iterator with a bounded buffer: for the first one from the beginning, for others from now on.
   * Ends when the room is left or the client closed. `break` ends the iteration and not the room.
   *
   * @throws BufferOverflowError from `next`, after all that was kept, when more than `bufferMax` items wait
   * @throws RequestRefusedError or ConnectionRefusedError from `next`, when the server ends the room
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<RoomItem> {
    const queue = this.#takeEarly();
    if (queue !== null) return queue;
    const opened = this.#openQueue();
    if (this.state === 'ended') opened.finish(new RoomLeftError(this.conversationId));
    return opened;
  }

  /**
   * Sends a message; returns at once. It is sent again, as the same message, until the server has acknowledged it or its
   * deadline has passed, across lost connections.
   *
   * @throws InvalidArgumentError, SendQueueFullError, ClientClosedError
   */
  send(content: string, options: SendOptions = {}): SentMessage {
    checkConversationId(this.conversationId);
    checkContent(content);
    if (options.clientMessageId !== undefined) checkClientMessageId(options.clientMessageId);
    if (options.replyTo !== undefined) checkMessageId('replyTo', options.replyTo);
    return this.#link.sendMessage(this.conversationId, content, options);
  }

  /** Tells the others that this user is typing, at most every `typingIntervalMs` and only while connected: call it per key. */
  typing(): void {
    checkConversationId(this.conversationId);
    const nowMs = this.#link.nowMs();
    if (this.state === 'ended' || nowMs - this.#typedAtMs < this.#link.typingIntervalMs) return;
    this.#typedAtMs = nowMs;
    this.#link.sendTyping(this.conversationId);
  }

  /**
   * Says that this user has read up to `seq`. Kept and repeated like a message.
   *
   * @returns the server's acknowledgement
   * @throws InvalidArgumentError, SendQueueFullError, ClientClosedError; rejects with what makes a message fail
   */
  read(seq: number): Promise<AckFrame> {
    checkConversationId(this.conversationId);
    checkSeq('seq', seq);
    return this.#link.sendRead(this.conversationId, seq);
  }

  /**
   * Goes on behind `seq`, after `resync` or an overflow: everything behind it is given out, again if need be. Without `seq`
   * at the head that the last `joined` or `resync` named.
   *
   * @throws RoomLeftError, InvalidArgumentError
   */
  resumeFrom(seq?: number): void {
    if (this.state === 'ended') throw new RoomLeftError(this.conversationId);
    if (seq !== undefined) checkSeq('seq', seq);
    this.#subscription.resumeFrom(seq);
  }

  /** Ends the room and its iterators. Messages that were sent in it go on being sent. */
  leave(): void {
    this.#link.leave(this.#subscription);
  }

  #takeEarly(): ItemQueue<RoomItem> | null {
    const early = this.#early;
    this.#early = null;
    return early;
  }

  #openQueue(): ItemQueue<RoomItem> {
    const { emitter } = this.#subscription;
    let lastSeq = this.lastSeq;
    const overflow = () => new BufferOverflowError(this.conversationId, this.#link.bufferMax, lastSeq);
    const stops: (() => void)[] = [];
    const queue = new ItemQueue<RoomItem>(this.#link.bufferMax, overflow, () => {
      for (const stop of stops) stop();
    });
    stops.push(
      emitter.on('event', (item) => {
        if (queue.push(item)) lastSeq = item.seq;
      }),
      emitter.on('resync', (item) => {
        queue.push(item);
      }),
      emitter.on('ended', (error) => queue.finish(error)),
    );
    return queue;
  }
}
