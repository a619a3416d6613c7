import { BufferOverflowError, RoomLeftError } from './errors.ts';
import { ItemQueue } from './itemQueue.ts';
import {
  checkClientMessageId,
  checkContent,
  checkConversationId,
  checkEmoji,
  checkMessage,
  checkMessageId,
  checkSeq,
} from './limits.ts';
import type { AckFrame, AckLevel, ChangedFrame } from './protocol.ts';
import type { WantedChange } from './requests.ts';
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
  /** Ids of files that this user has uploaded to the same conversation with `ChatHttp.upload`, at most ten. */
  readonly attachments?: readonly string[];
  /**
   * `durable`: have it acknowledged when the server's history has it on disk as well. Its state then becomes `durable`, or
   * `accepted` when that takes more than eight seconds.
   */
  readonly level?: AckLevel;
}

/** What a request may say of a message that is to be changed. */
export interface ChangeOptions {
  /** Where the message is in the log, as its event or the history says: saves the server a search. */
  readonly seq?: number;
}

/** What a deletion may have besides. */
export interface DeleteOptions extends ChangeOptions {
  /** Take the bytes of the message, its edits and its files out of the log as well. Cannot be undone. Default false. */
  readonly erase?: boolean;
}

/** What a room needs of its client. */
export interface RoomLink {
  readonly bufferMax: number;
  readonly typingIntervalMs: number;
  nowMs(): number;
  sendMessage(conversationId: string, content: string, options: SendOptions): SentMessage;
  sendRead(conversationId: string, seq: number): Promise<AckFrame>;
  sendTyping(conversationId: string): void;
  change(wanted: WantedChange): Promise<ChangedFrame>;
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
   * @param content 1–8,000 characters; may be empty when there are attachments
   * @throws InvalidArgumentError, SendQueueFullError, ClientClosedError
   */
  send(content: string, options: SendOptions = {}): SentMessage {
    checkConversationId(this.conversationId);
    checkMessage(content, options.attachments);
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
   * Replaces the content of a message of this user.
   *
   * As with every change of a message, the server has no id by which it would know a repeat, so it is sent once. If the
   * connection is lost before the answer, or `requestTimeoutMs` passes, it rejects with `OutcomeUnknownError`: it may have
   * been made. Asking again is then harmless as long as the same user changed nothing about that message in between. What
   * was asked for without a connection waits for one and rejects with `RequestTimeoutError` if none comes; then nothing
   * was changed. A failure that nobody handles is not an unhandled rejection.
   *
   * @returns where the change is in the log; the event comes as any other
   * @throws InvalidArgumentError, RequestQueueFullError, ClientClosedError; rejects with RequestRefusedError,
   *   OutcomeUnknownError, RequestTimeoutError, ClientClosedError or ConnectionRefusedError
   */
  edit(messageId: string, content: string, options: ChangeOptions = {}): Promise<ChangedFrame> {
    checkContent(content);
    return this.#link.change({ op: 'edit', ...this.#target(messageId, options), content });
  }

  /** Deletes a message of this user, with `erase` also its bytes. Sent once, and fails, as {@link Room.edit} does. */
  delete(messageId: string, options: DeleteOptions = {}): Promise<ChangedFrame> {
    const erase = options.erase === true && { erase: true };
    return this.#link.change({ op: 'delete', ...this.#target(messageId, options), ...erase });
  }

  /**
   * Adds a reaction of this user to a message: exactly one emoji, or a name as `:shipit:`. One that is there already
   * stays. Sent once, and fails, as {@link Room.edit} does.
   */
  react(messageId: string, emoji: string, options: ChangeOptions = {}): Promise<ChangedFrame> {
    checkEmoji(emoji);
    return this.#link.change({ op: 'react', ...this.#target(messageId, options), emoji });
  }

  /** Takes a reaction of this user back; without one nothing changes. Sent once, and fails, as {@link Room.edit} does. */
  unreact(messageId: string, emoji: string, options: ChangeOptions = {}): Promise<ChangedFrame> {
    checkEmoji(emoji);
    return this.#link.change({ op: 'unreact', ...this.#target(messageId, options), emoji });
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

  #target(messageId: string, { seq }: ChangeOptions) {
    const { conversationId } = this;
    checkConversationId(conversationId);
    checkMessageId('messageId', messageId);
    if (seq !== undefined) checkSeq('seq', seq);
    return { conversationId, messageId, ...(seq !== undefined && { seq }) };
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
