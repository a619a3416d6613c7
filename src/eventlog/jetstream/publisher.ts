import { createInbox, type Msg, type NatsConnection } from 'nats';
import type { ConnectionWatch } from '../../platform/connectionWatch.ts';
import {
  type AppendResult,
  LogOverloadedError,
  LogUnavailableError,
  UnknownOutcomeError,
} from '../../ports/eventLog.ts';
import { type AckVerdict, judgeAck } from './pubAck.ts';
import type { Entry, ReplySubject } from './publishEntry.ts';
import { PublishHeaders } from './publishHeaders.ts';

/**
 * Publishes to a stream with many messages in flight and tells each one's outcome.
 *
 * A message is, in this order:
 * - `queued`: the window is full or the connection is down. It was never sent, so giving up here is certain:
 *   LogUnavailableError.
 * - `in flight`: sent, its PubAck awaited on the one shared inbox. After `ackTimeoutMs`, and after a reconnect, it is
 *   sent again with the same `Nats-Msg-Id`, which the stream stores once. From here on giving up is
 *   UnknownOutcomeError, unless every attempt was answered "not stored".
 * - `delayed`: the server said "not now" (no responders, no leader); sent again after a pause with jitter.
 * - settled: acknowledged, refused, or past its deadline.
 *
 * A reply subject serves one attempt at a time, and another one only after its answer has come: that of an attempt given
 * up is never used again, so a late answer cannot be taken for another message's.
 *
 * Invariants: messages in flight and delayed never exceed `windowMax`, queued ones never `queueMax`; first attempts go
 * out in the order of the calls, and after a reconnect everything in flight goes out again in that order before
 * anything new; every message settles at the latest one sweep after its deadline.
 */
export class PipelinedPublisher {
  readonly #connection: NatsConnection;
  readonly #options: PublisherOptions;
  readonly #inbox = createInbox();
  readonly #headers = new PublishHeaders();
  readonly #inFlight = new Map<number, Entry>();
  readonly #delayed = new Set<Entry>();
  #queue: Entry[] = [];
  #queueHead = 0;
  /** Reply subjects whose answer has come. Using few of them again and again is what the server's caches like. */
  readonly #freeReplies: ReplySubject[] = [];
  #tokenNext = 1;
  #pumpScheduled = false;
  #connected = true;
  #closed = false;
  readonly #sweeper: NodeJS.Timeout;
  /** Moving average of the time from sending to PubAck, in milliseconds; `null` before the first. */
  ackMs: number | null = null;

  constructor(connection: NatsConnection, watch: ConnectionWatch, options: PublisherOptions) {
    this.#connection = connection;
    this.#options = options;
    connection.subscribe(`${this.#inbox}.*`, { callback: (_error, message) => this.#onAck(message) });
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS);
    this.#sweeper.unref();
    watch.add({ onDisconnect: () => this.#onDisconnect(), onReconnect: () => this.#onReconnect() });
  }

  /** Queued, in flight and delayed: what a graceful stop waits for. */
  get pending(): number {
    return this.#inFlight.size + this.#delayed.size + this.#queue.length - this.#queueHead;
  }

  /**
   * @param headers further header lines, each with its end
   * @throws LogUnavailableError, UnknownOutcomeError, LogOverloadedError (see ports/eventLog.ts)
   */
  publish(
    subject: string,
    bytes: Uint8Array,
    key: string,
    expectedSeq?: number,
    headers?: string,
  ): Promise<AppendResult> {
    if (this.#closed)
      return Promise.reject(new LogUnavailableError('This process is stopping; try another.'));
    if (this.#queue.length - this.#queueHead >= this.#options.queueMax) {
      return Promise.reject(new LogOverloadedError(`${this.#options.queueMax} appends are waiting already`));
    }
    return new Promise((resolve, reject) => {
      const deadlineAtMs = Date.now() + this.#options.deadlineMs;
      const entry: Entry = {
        subject,
        bytes,
        key,
        expectedSeq,
        headers,
        deadlineAtMs,
        sentAtMs: 0,
        retryAtMs: 0,
        attempts: 0,
        ambiguous: false,
        resolve,
        reject,
      };
      this.#queue.push(entry);
      this.#pumpSoon();
    });
  }

  /** Refuses new messages and waits until the pending ones have settled, at most `timeoutMs`. */
  async close(timeoutMs: number): Promise<void> {
    this.#closed = true;
    const deadline = Date.now() + timeoutMs;
    while (this.pending > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
    clearInterval(this.#sweeper);
    for (const entry of this.#inFlight.values()) entry.ambiguous = true;
    const left = [...this.#inFlight.values(), ...this.#delayed, ...this.#queue.slice(this.#queueHead)];
    this.#inFlight.clear();
    this.#delayed.clear();
    this.#queue = [];
    this.#queueHead = 0;
    for (const entry of left) this.#giveUp(entry);
  }

  /**
   * Sends what this turn of the event loop has queued, together: the client library writes to its socket once per
   * microtask, so publishing from within each arriving request would cost a system call each.
   */
  #pumpSoon(): void {
    if (this.#pumpScheduled) return;
    this.#pumpScheduled = true;
    setImmediate(() => {
      this.#pumpScheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    while (
      this.#connected &&
      this.#queueHead < this.#queue.length &&
      this.#inFlight.size + this.#delayed.size < this.#options.windowMax
    ) {
      const entry = this.#queue[this.#queueHead++];
      if (entry !== undefined) this.#send(entry);
    }
    if (this.#queueHead === this.#queue.length || this.#queueHead > 4_096) {
      this.#queue = this.#queue.slice(this.#queueHead);
      this.#queueHead = 0;
    }
  }

  #send(entry: Entry): void {
    const { token, subject: reply } = this.#freeReplies.pop() ?? this.#newReply();
    entry.sentAtMs = Date.now();
    entry.attempts += 1;
    this.#inFlight.set(token, entry);
    try {
      const headers = this.#headers.with(entry.key, entry.expectedSeq, entry.headers);
      this.#connection.publish(entry.subject, entry.bytes, { reply, headers });
    } catch (cause) {
      this.#inFlight.delete(token);
      entry.reject(new LogUnavailableError('The connection to NATS is closed', { cause }));
    }
  }

  #newReply(): ReplySubject {
    const token = this.#tokenNext++;
    return { token, subject: `${this.#inbox}.${token.toString(36)}` };
  }

  #onAck(message: Msg): void {
    const { subject } = message;
    const token = Number.parseInt(subject.slice(this.#inbox.length + 1), 36);
    const entry = this.#inFlight.get(token);
    // Unknown: an answer to an attempt that was given up; a later attempt of the same message tells the same.
    if (entry === undefined) return;
    this.#inFlight.delete(token);
    this.#freeReplies.push({ token, subject });
    this.#settle(entry, judgeAck(message));
    if (this.#queueHead < this.#queue.length) this.#pumpSoon();
  }

  #settle(entry: Entry, verdict: AckVerdict): void {
    switch (verdict.kind) {
      case 'stored':
        this.#measure(Date.now() - entry.sentAtMs);
        // On a second attempt the stream may only be repeating that our own first one was stored.
        return entry.resolve({
          outcome: 'stored',
          seq: verdict.seq,
          duplicate: verdict.duplicate && entry.attempts === 1,
        });
      case 'conflict':
        return entry.resolve({ outcome: 'conflict' });
      case 'refused':
        return entry.reject(verdict.error);
      case 'notNow':
        return this.#delay(entry, verdict.reason);
    }
  }

  #delay(entry: Entry, reason: string): void {
    const pauseMs = Math.min(50 * 2 ** entry.attempts, 1_000) * (0.5 + Math.random());
    entry.retryAtMs = Date.now() + pauseMs;
    this.#delayed.add(entry);
    this.#options.onEvent?.({ type: 'publishDelayed', reason, attempts: entry.attempts });
  }

  /** Attempts that timed out are repeated, messages past their deadline given up. */
  #sweep(): void {
    const now = Date.now();
    let timedOut = 0;
    for (const [token, entry] of this.#inFlight) {
      if (now - entry.sentAtMs < this.#options.ackTimeoutMs) break;
      this.#inFlight.delete(token);
      entry.ambiguous = true;
      timedOut += 1;
      this.#retry(entry, now);
    }
    if (timedOut > 0) this.#options.onEvent?.({ type: 'publishTimedOut', messages: timedOut });
    for (const entry of this.#delayed) {
      if (now < entry.retryAtMs) continue;
      this.#delayed.delete(entry);
      this.#retry(entry, now);
    }
    this.#dropOverdueQueued(now);
    this.#pump();
  }

  #retry(entry: Entry, now: number): void {
    if (now >= entry.deadlineAtMs) this.#giveUp(entry);
    else if (this.#connected) this.#send(entry);
    else {
      // It waits for the reconnect among those in flight, where it keeps its turn.
      entry.sentAtMs = now;
      this.#inFlight.set(this.#tokenNext++, entry);
    }
  }

  #giveUp(entry: Entry): void {
    const { attempts } = entry;
    if (entry.ambiguous)
      entry.reject(new UnknownOutcomeError(`No answer from the log after ${attempts} attempts`));
    else entry.reject(new LogUnavailableError(`The log took nothing within ${this.#options.deadlineMs} ms`));
  }

  #dropOverdueQueued(now: number): void {
    let entry = this.#queue[this.#queueHead];
    while (entry !== undefined && now >= entry.deadlineAtMs) {
      this.#queueHead += 1;
      this.#giveUp(entry);
      entry = this.#queue[this.#queueHead];
    }
  }

  #onDisconnect(): void {
    this.#connected = false;
    for (const entry of this.#inFlight.values()) entry.ambiguous = true;
  }

  #onReconnect(): void {
    this.#connected = true;
    const again = [...this.#inFlight.values()];
    this.#inFlight.clear();
    for (const entry of again) this.#send(entry);
    if (again.length > 0) this.#options.onEvent?.({ type: 'publishRepeated', messages: again.length });
    this.#pump();
  }

  #measure(ms: number): void {
    this.ackMs = this.ackMs === null ? ms : this.ackMs * 0.95 + ms * 0.05;
  }
}

export interface PublisherOptions {
  /** Messages sent and not yet acknowledged, at most. 1,024–2,048 keeps one server busy. */
  readonly windowMax: number;
  /** Messages waiting for the window, at most. */
  readonly queueMax: number;
  /** How long one attempt may go unanswered, in milliseconds. */
  readonly ackTimeoutMs: number;
  /** How long all attempts together may take, in milliseconds. */
  readonly deadlineMs: number;
  readonly onEvent?: (event: PublisherEvent) => void;
}

export type PublisherEvent =
  | { readonly type: 'publishTimedOut'; readonly messages: number }
  | { readonly type: 'publishRepeated'; readonly messages: number }
  | { readonly type: 'publishDelayed'; readonly reason: string; readonly attempts: number };

/** One timer looks after all messages; a timer for each would cost more than the message. */
const SWEEP_MS = 50;
