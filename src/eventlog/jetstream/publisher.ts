import type { Msg, NatsConnection } from 'nats';
import type { ConnectionWatch } from '../../platform/nats/connectionWatch.ts';
import { backoffMs } from '../../platform/time/backoff.ts';
import {
  type AppendResult,
  LogOverloadedError,
  LogUnavailableError,
  UnknownOutcomeError,
} from '../../ports/eventLog.ts';
import { InFlight } from './inFlight.ts';
import type { Appends } from './logCircuitOptions.ts';
import { type AckVerdict, judgeAck } from './pubAck.ts';
import type { PublisherOptions } from './publisherOptions.ts';
import { PublishHeaders } from './publishHeaders.ts';
import { Entry, type Message, PublishQueue } from './publishQueue.ts';

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
 * While the circuit refuses, new messages are refused, and those that certainly are not stored at once with them; those
 * that may be keep waiting for their answer until their deadline, but are not sent again, unless the log answers questions
 * and only owes acknowledgements.
 *
 * A reply subject serves one attempt at a time, and another one only after its answer has come: that of an attempt given
 * up is never used again, so a late answer cannot be taken for another message's.
 *
 * Invariants: messages in flight and delayed never exceed `windowMax`, queued ones never `queueMax`, and what all
 * of them hold never `queueBytesMax`; first attempts go out in the order of the calls, and after a reconnect everything in flight goes out again in that order before
 * anything new; every message settles at the latest one attempt (`ackTimeoutMs`, or the longest pause) and one sweep after its deadline.
 */
export class PipelinedPublisher {
  readonly #connection: NatsConnection;
  readonly #options: PublisherOptions;
  readonly #headers = new PublishHeaders();
  readonly #inFlight = new InFlight();
  readonly #delayed = new Set<Entry>();
  readonly #queue = new PublishQueue();
  /** What pending messages hold. */
  #bytes = 0;
  #pumpScheduled = false;
  #connected = true;
  #closed = false;
  readonly #sweeper: NodeJS.Timeout;
  readonly #appends: Appends = {
    isOwed: () => this.#inFlight.size + this.#delayed.size > 0,
    onUnavailable: () => this.#refuseUnsent(),
    onTrial: () => this.#try(),
    onAvailable: () => this.#waitAnew(),
  };
  /** Moving average of the time from sending to PubAck, in milliseconds; `null` before the first. */
  ackMs: number | null = null;

  constructor(connection: NatsConnection, watch: Pick<ConnectionWatch, 'add'>, options: PublisherOptions) {
    this.#connection = connection;
    this.#options = options;
    connection.subscribe(this.#inFlight.answersTo, { callback: (_error, message) => this.#onAck(message) });
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS);
    this.#sweeper.unref();
    watch.add({ onDisconnect: () => this.#onDisconnect(), onReconnect: () => this.#onReconnect() });
    options.circuit?.attach(this.#appends);
  }

  /** Queued, in flight and delayed: what a graceful stop waits for. */
  get pending(): number {
    return this.#inFlight.size + this.#delayed.size + this.#queue.length;
  }

  /**
   * @throws LogUnavailableError, UnknownOutcomeError, LogOverloadedError (see ports/eventLog.ts)
   */
  publish(message: Message): Promise<AppendResult> {
    if (this.#closed)
      return Promise.reject(new LogUnavailableError('This process is stopping; try another.'));
    const { circuit, queueMax, queueBytesMax } = this.#options;
    if (circuit?.refuses === true) return Promise.reject(circuit.unavailableError());
    if (this.#queue.length >= queueMax) {
      return Promise.reject(new LogOverloadedError(`${queueMax} appends are waiting already`));
    }
    if (this.#bytes + message.bytes.length > queueBytesMax) {
      return Promise.reject(new LogOverloadedError(`Appends with ${this.#bytes} bytes are waiting already`));
    }
    this.#bytes += message.bytes.length;
    return new Promise((resolve, reject) => {
      const entry = new Entry(message, resolve, reject);
      entry.deadlineAtMs = Date.now() + this.#options.deadlineMs;
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
    for (const entry of this.#inFlight) entry.ambiguous = true;
    const left = [...this.#inFlight.takeAllBack(), ...this.#delayed, ...this.#queue.takeAll()];
    this.#delayed.clear();
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
      this.#queue.length > 0 &&
      this.#inFlight.size + this.#delayed.size < this.#options.windowMax
    ) {
      const entry = this.#queue.shift();
      if (entry !== undefined) this.#send(entry);
    }
    this.#queue.compact();
  }

  #send(entry: Entry): void {
    entry.sentAtMs = Date.now();
    entry.attempts += 1;
    const reply = this.#inFlight.add(entry);
    try {
      const headers = this.#headers.with(entry.key, entry.expectedSeq, entry.headers);
      this.#connection.publish(entry.subject, entry.bytes, { reply, headers });
    } catch {
      // The connection is closed for good.
      this.#inFlight.takeBack(entry);
      this.#giveUp(entry);
    }
  }

  #onAck(message: Msg): void {
    const entry = this.#inFlight.answered(message.subject);
    // An answer to an attempt that was given up; a later attempt of the same message tells the same.
    if (entry === null) return;
    this.#settle(entry, judgeAck(message));
    if (this.#queue.length > 0) this.#pumpSoon();
  }

  #settle(entry: Entry, verdict: AckVerdict): void {
    if (verdict.kind === 'notNow') return this.#delay(entry, verdict.reason);
    this.#bytes -= entry.bytes.length;
    this.#options.circuit?.acknowledged();
    switch (verdict.kind) {
      case 'stored':
        this.#measure(Date.now() - entry.sentAtMs);
        if (!verdict.duplicate) this.#options.onStored?.(verdict.seq, entry.bytes);
        // On a second attempt the stream may only be repeating that our own first one was stored.
        return entry.resolve({
          outcome: 'stored',
          seq: verdict.seq,
          duplicate: verdict.duplicate && entry.attempts === 1,
          ...(verdict.duplicate && entry.attempts > 1 && { retried: true as const }),
        });
      case 'conflict':
        return entry.resolve({ outcome: 'conflict' });
      case 'refused':
        return entry.reject(verdict.error);
    }
  }

  #delay(entry: Entry, reason: string): void {
    const pauseMs = backoffMs(RETRY_BACKOFF, entry.attempts, Math.random);
    entry.retryAtMs = Date.now() + pauseMs;
    this.#delayed.add(entry);
    this.#options.onEvent?.({ type: 'publishDelayed', reason, attempts: entry.attempts });
  }

  /** Attempts that timed out are repeated, messages past their deadline given up. */
  #sweep(): void {
    const now = Date.now();
    if (this.#options.circuit?.refuses === true) return this.#giveUpOverdue(now);
    let timedOut = 0;
    for (const entry of this.#inFlight) {
      if (now - entry.sentAtMs < this.#options.ackTimeoutMs) break;
      this.#inFlight.takeBack(entry);
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
    for (const entry of this.#queue.takeOverdue(now)) this.#giveUp(entry);
    this.#pump();
  }

  #retry(entry: Entry, now: number): void {
    if (now >= entry.deadlineAtMs) this.#giveUp(entry);
    else if (this.#connected) this.#send(entry);
    else {
      // It waits for the reconnect among those in flight, where it keeps its turn.
      entry.sentAtMs = now;
      this.#inFlight.addUnsent(entry);
    }
  }

  #giveUp(entry: Entry): void {
    const { attempts } = entry;
    this.#bytes -= entry.bytes.length;
    if (entry.ambiguous)
      entry.reject(new UnknownOutcomeError(`No answer from the log after ${attempts} attempts`));
    else entry.reject(this.#notSent());
  }

  #notSent(): LogUnavailableError {
    const { circuit, deadlineMs } = this.#options;
    if (circuit?.refuses === true) return circuit.unavailableError();
    return new LogUnavailableError(`The log took nothing within ${deadlineMs} ms`);
  }

  /** While the log is away nothing is repeated: it would only pile up in the connection's buffers. */
  #giveUpOverdue(now: number): void {
    for (const entry of this.#inFlight) {
      if (now < entry.deadlineAtMs) continue;
      this.#inFlight.takeBack(entry);
      entry.ambiguous = true;
      this.#giveUp(entry);
    }
    for (const entry of this.#delayed) {
      if (now >= entry.deadlineAtMs && this.#delayed.delete(entry)) this.#giveUp(entry);
    }
  }

  /** What was never sent, and what was answered "not stored" each time, is refused now: its outcome is certain. */
  #refuseUnsent(): void {
    const unsent = this.#queue.takeAll();
    for (const entry of this.#delayed) {
      if (entry.ambiguous) continue;
      this.#delayed.delete(entry);
      unsent.push(entry);
    }
    for (const entry of unsent) this.#giveUp(entry);
  }

  #onDisconnect(): void {
    this.#connected = false;
    for (const entry of this.#inFlight) entry.ambiguous = true;
  }

  #onReconnect(): void {
    this.#connected = true;
    this.#sendAgain([]);
    this.#pump();
  }

  /** Everything in flight, in its order, and what else is given. */
  #sendAgain(others: Iterable<Entry>): void {
    const again = [...this.#inFlight.takeAllBack(), ...others];
    for (const entry of again) this.#send(entry);
    if (again.length > 0) this.#options.onEvent?.({ type: 'publishRepeated', messages: again.length });
  }

  #try(): void {
    // It is not known yet whether this is the log that it was.
    if (!this.#connected) return;
    const delayed = [...this.#delayed];
    this.#delayed.clear();
    for (const entry of this.#inFlight) entry.ambiguous = true;
    this.#sendAgain(delayed);
  }

  /** The log is back, and with it, as a rule, the answers that it owes: they get time to come. */
  #waitAnew(): void {
    const now = Date.now();
    for (const entry of this.#inFlight) entry.sentAtMs = now;
  }

  #measure(ms: number): void {
    this.ackMs = this.ackMs === null ? ms : this.ackMs * 0.95 + ms * 0.05;
  }
}

/** One timer serves all messages; a timer for each would cost more than the message. */
const SWEEP_MS = 50;
/** Before a refused attempt is repeated. */
const RETRY_BACKOFF = { delayMsMin: 75, delayMsMax: 1_500 };
