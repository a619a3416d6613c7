import { Emitter } from './emitter.ts';
import type { AckFrame, AckLevel } from './protocol.ts';

/**
 * - `sending`: waits to be sent or acknowledged; survives lost connections
 * - `accepted`: the log has it. The normal end
 * - `durable`: the database has it as well
 * - `failed`: see {@link SentMessage.error}
 */
export type SentMessageState = 'sending' | 'accepted' | 'durable' | 'failed';

/** A message on its way and what became of it. */
export interface SentMessage {
  readonly conversationId: string;
  readonly content: string;
  /** Made once: whatever is sent with it is the same message. */
  readonly clientMessageId: string;
  readonly state: SentMessageState;
  /** Null until the server has acknowledged it. */
  readonly messageId: string | null;
  /** Where it is in the log; null until the server has acknowledged it. */
  readonly seq: number | null;
  /** Whether an earlier try had stored it already; null until the server has acknowledged it. */
  readonly duplicate: boolean | null;
  /** Why it failed; null unless it has. */
  readonly error: Error | null;
  /**
   * Resolves with this message once it is accepted, rejects with {@link SentMessage.error} when it fails. Nobody has to
   * await it: a failure that nobody handles is not an unhandled rejection.
   */
  readonly settled: Promise<SentMessage>;
  /** Calls for every change of state from now on. @returns what takes the listener away again */
  onState(listener: (state: SentMessageState) => void): () => void;
}

/** The message as its client drives it: sending → accepted → durable, or sending → failed. */
export class OutgoingMessage implements SentMessage {
  readonly conversationId: string;
  readonly content: string;
  readonly clientMessageId: string;
  readonly replyTo: string | null;
  readonly attachments: readonly string[];
  /** What its acknowledgement is to say. */
  readonly level: AckLevel;
  readonly settled: Promise<SentMessage>;
  readonly #emitter = new Emitter<{ state: SentMessageState }>();
  #settle: { resolve(message: SentMessage): void; reject(error: Error): void } | null = null;
  #state: SentMessageState = 'sending';
  #ack: AckFrame | null = null;
  #error: Error | null = null;

  constructor(
    conversationId: string,
    content: string,
    options: {
      clientMessageId: string;
      replyTo: string | null;
      attachments: readonly string[];
      level?: AckLevel | undefined;
    },
  ) {
    this.conversationId = conversationId;
    this.content = content;
    this.clientMessageId = options.clientMessageId;
    this.replyTo = options.replyTo;
    this.attachments = options.attachments;
    this.level = options.level ?? 'accepted';
    this.settled = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.settled.catch(() => {});
  }

  get state(): SentMessageState {
    return this.#state;
  }

  get messageId(): string | null {
    return this.#ack?.messageId ?? null;
  }

  get seq(): number | null {
    return this.#ack?.seq ?? null;
  }

  get duplicate(): boolean | null {
    return this.#ack?.duplicate ?? null;
  }

  get error(): Error | null {
    return this.#error;
  }

  onState(listener: (state: SentMessageState) => void): () => void {
    return this.#emitter.on('state', listener);
  }

  /** A second ack may raise `accepted` to `durable`; nothing lowers it. */
  acknowledge(ack: AckFrame): void {
    const state = ack.level === 'durable' ? 'durable' : 'accepted';
    if (this.#state === 'failed' || this.#state === 'durable' || this.#state === state) return;
    this.#ack = { ...this.#ack, ...ack };
    this.#become(state);
    this.#settle?.resolve(this);
  }

  fail(error: Error): void {
    if (this.#state !== 'sending') return;
    this.#error = error;
    this.#become('failed');
    this.#settle?.reject(error);
  }

  #become(state: SentMessageState): void {
    this.#state = state;
    this.#emitter.emit('state', state);
  }
}
