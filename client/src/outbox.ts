import { fullJitterMs } from './backoff.ts';
import { Alarm } from './clock.ts';
import { DeliveryTimeoutError, RequestRefusedError, SendQueueFullError } from './errors.ts';
import { RETRY_AFTER_MS_MAX, type Settings } from './options.ts';
import type { AckFrame, ClientFrame, ErrorFrame } from './protocol.ts';

/** Something that must reach the server once, however often it is sent. */
export interface Delivery {
  /** For messages of errors. */
  readonly what: string;
  frame(id: number): ClientFrame;
  onAck(ack: AckFrame): void;
  onFail(error: Error): void;
}

/** What the outbox needs of its client. */
export interface OutboxLink {
  isOpen(): boolean;
  nextRequestId(): number;
  send(frame: ClientFrame): boolean;
}

interface Entry {
  readonly delivery: Delivery;
  deadlineAtMs: number;
  /** Every number it was sent under on this connection: a late answer to any of them will do. */
  ids: number[];
  /** When it is sent again for want of an answer; null while it waits to be sent. */
  answerDueAtMs: number | null;
  lastRefusal: RequestRefusedError | null;
  /** Its deadline passed while the device slept: it gets one attempt more, until then at the latest. */
  graceUntilMs: number | null;
}

/** Errors that say "not now" whatever else they say: the request itself is fine. */
const RETRYABLE = new Set(['log_unavailable', 'overloaded', 'unknown_outcome', 'rate_limited']);

/** A timer that fires later than this was not late: the device slept. In milliseconds. */
const LATE_MS_MAX = 5_000;
/** How long after that a message may wait for the network to come back, in milliseconds. */
const GRACE_MS_MAX = 300_000;

/** Acks of which a later, higher one is still understood, at most. */
const ACKED_MAX = 1_000;

/**
 * The queue of what is not acknowledged yet: bounded by `sendQueueMax`, with at most `sendWindowMax` on their way.
 *
 * An entry is queued → on its way → settled. It goes back to queued, and keeps its place, when the connection is lost, when
 * no answer comes within `answerTimeoutMs`, and when the server says "not now". After such a refusal nothing is sent for the
 * time that the server asked for plus a backoff with jitter, so that nothing overtakes what was refused. Entries are sent in
 * their order, and the server takes the frames of a connection in theirs; so messages are stored in order, unless one of
 * several on their way is refused and those behind it are not: `sendWindowMax` 1 excludes that too.
 *
 * When the deadline has passed while the device slept, the entry gets one attempt more, as soon as there is a connection and
 * within five minutes: it fails when that is not answered either.
 *
 * An entry is settled by an ack, by an error that is not retryable, by its deadline, or by {@link Outbox.close}. Repeats are
 * harmless because the server knows a message by its clientMessageId.
 */
export class Outbox {
  readonly #settings: Settings;
  readonly #link: OutboxLink;
  readonly #alarm: Alarm;
  /** In the order in which they were added, which is also that of their deadlines. */
  readonly #entries = new Set<Entry>();
  readonly #byId = new Map<number, Entry>();
  readonly #acked = new Map<number, Delivery>();
  #onTheirWay = 0;
  #refusals = 0;
  #pausedUntilMs = Number.NEGATIVE_INFINITY;
  #alarmAtMs = Number.POSITIVE_INFINITY;

  constructor(settings: Settings, link: OutboxLink) {
    this.#settings = settings;
    this.#link = link;
    this.#alarm = new Alarm(settings.clock);
  }

  /** How many are not settled. */
  get pending(): number {
    return this.#entries.size;
  }

  /** @throws SendQueueFullError */
  add(delivery: Delivery): void {
    const { sendQueueMax, sendDeadlineMs, clock } = this.#settings;
    if (this.#entries.size >= sendQueueMax) throw new SendQueueFullError(sendQueueMax);
    const deadlineAtMs = clock.nowMs() + sendDeadlineMs;
    this.#entries.add({
      delivery,
      deadlineAtMs,
      ids: [],
      answerDueAtMs: null,
      lastRefusal: null,
      graceUntilMs: null,
    });
    this.#wakeAt(deadlineAtMs);
    this.pump();
  }

  /** Sends what may be sent. */
  pump(): void {
    if (!this.#link.isOpen() || this.#pausedUntilMs > this.#settings.clock.nowMs()) return;
    if (this.#onTheirWay >= this.#settings.sendWindowMax) return;
    for (const entry of this.#entries) {
      if (entry.answerDueAtMs !== null) continue;
      if (this.#onTheirWay >= this.#settings.sendWindowMax || !this.#send(entry)) return;
    }
  }

  onLost(): void {
    this.#byId.clear();
    this.#acked.clear();
    this.#onTheirWay = 0;
    for (const entry of this.#entries) {
      entry.ids = [];
      entry.answerDueAtMs = null;
      // An attempt on a connection that was dead already is none.
      if (entry.graceUntilMs !== null) entry.deadlineAtMs = entry.graceUntilMs;
    }
  }

  onAck(ack: AckFrame): void {
    const entry = this.#byId.get(ack.id);
    if (entry === undefined) return this.#acked.get(ack.id)?.onAck(ack);
    this.#refusals = 0;
    this.#remember(ack.id, entry.delivery);
    this.#settle(entry);
    entry.delivery.onAck(ack);
    this.pump();
  }

  /** @returns whether the error was the answer to something of here */
  onError(frame: ErrorFrame): boolean {
    const entry = frame.id === null ? undefined : this.#byId.get(frame.id);
    if (entry === undefined) return false;
    const { what } = entry.delivery;
    const error = new RequestRefusedError(what, frame);
    if (frame.retryable || RETRYABLE.has(frame.code)) this.#retryLater(entry, error);
    else {
      this.#settle(entry);
      entry.delivery.onFail(error);
    }
    this.pump();
    return true;
  }

  /** Fails everything, for good. */
  close(reason: (what: string) => Error): void {
    this.#alarm.clear();
    const entries = [...this.#entries];
    this.onLost();
    this.#entries.clear();
    for (const { delivery } of entries) delivery.onFail(reason(delivery.what));
  }

  #send(entry: Entry): boolean {
    const id = this.#link.nextRequestId();
    if (!this.#link.send(entry.delivery.frame(id))) return false;
    entry.ids.push(id);
    entry.answerDueAtMs = this.#settings.clock.nowMs() + this.#settings.answerTimeoutMs;
    // That one attempt.
    if (entry.graceUntilMs !== null) entry.deadlineAtMs = Math.min(entry.graceUntilMs, entry.answerDueAtMs);
    this.#byId.set(id, entry);
    this.#onTheirWay += 1;
    this.#wakeAt(entry.answerDueAtMs);
    return true;
  }

  #requeue(entry: Entry): void {
    if (entry.answerDueAtMs === null) return;
    entry.answerDueAtMs = null;
    this.#onTheirWay -= 1;
  }

  #retryLater(entry: Entry, error: RequestRefusedError): void {
    const { clock, random, retryDelayMsBase: baseMs, retryDelayMsMax: maxMs } = this.#settings;
    entry.lastRefusal = error;
    this.#requeue(entry);
    const nowMs = clock.nowMs();
    // What was on its way with it is refused with it: one fault, which counts once.
    if (this.#pausedUntilMs <= nowMs) this.#refusals += 1;
    const delayMs =
      Math.min(error.retryAfterMs ?? 0, RETRY_AFTER_MS_MAX) +
      fullJitterMs(this.#refusals - 1, { baseMs, maxMs }, random);
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, nowMs + delayMs);
    this.#wakeAt(this.#pausedUntilMs);
  }

  #settle(entry: Entry): void {
    this.#requeue(entry);
    for (const id of entry.ids) this.#byId.delete(id);
    this.#entries.delete(entry);
  }

  #remember(id: number, delivery: Delivery): void {
    this.#acked.set(id, delivery);
    const [oldest] = this.#acked.keys();
    if (this.#acked.size > ACKED_MAX && oldest !== undefined) this.#acked.delete(oldest);
  }

  /** One timer for everything that is due some time: it fires for the earliest, then looks what is next. */
  #wakeAt(atMs: number): void {
    if (this.#alarm.isSet && this.#alarmAtMs <= atMs) return;
    this.#alarmAtMs = atMs;
    this.#alarm.set(Math.max(0, atMs - this.#settings.clock.nowMs()), () => this.#onAlarm());
  }

  #onAlarm(): void {
    const nowMs = this.#settings.clock.nowMs();
    const slept = nowMs - this.#alarmAtMs > LATE_MS_MAX;
    for (const entry of [...this.#entries]) {
      if (slept && entry.deadlineAtMs <= nowMs && entry.graceUntilMs === null) this.#grant(entry, nowMs);
      else if (entry.deadlineAtMs <= nowMs) this.#expire(entry);
      else if (entry.answerDueAtMs !== null && entry.answerDueAtMs <= nowMs) this.#requeue(entry);
    }
    this.pump();
    let nextMs = this.#pausedUntilMs > nowMs ? this.#pausedUntilMs : Number.POSITIVE_INFINITY;
    for (const { deadlineAtMs, answerDueAtMs } of this.#entries) {
      nextMs = Math.min(nextMs, deadlineAtMs, answerDueAtMs ?? Number.POSITIVE_INFINITY);
    }
    if (this.#entries.size > 0) this.#wakeAt(nextMs);
  }

  /** It could not be tried while the device slept. One that is on its way is so on a connection from before. */
  #grant(entry: Entry, nowMs: number): void {
    entry.graceUntilMs = nowMs + GRACE_MS_MAX;
    entry.deadlineAtMs = entry.graceUntilMs;
    this.#requeue(entry);
  }

  #expire(entry: Entry): void {
    const { what } = entry.delivery;
    this.#settle(entry);
    entry.delivery.onFail(new DeliveryTimeoutError(what, this.#settings.sendDeadlineMs, entry.lastRefusal));
  }
}
