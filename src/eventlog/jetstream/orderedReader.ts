import {
  AckPolicy,
  createInbox,
  DeliverPolicy,
  type JetStreamManager,
  type Msg,
  type NatsConnection,
  nanos,
  nuid,
  ReplayPolicy,
  type Subscription,
} from 'nats';
import type { ConnectionWatch } from '../../platform/nats/connectionWatch.ts';
import { backoffMs } from '../../platform/time/backoff.ts';
import type { FollowedEvent, Following, FollowOptions } from '../../ports/eventFeed.ts';
import { type Delivery, parseDelivery } from './feedMessage.ts';

/**
 * Reads a stream in order, each message once, for as long as it is wanted.
 *
 * Underneath is an ephemeral pull consumer without acknowledgements. Whatever happens to it, a new one is made that
 * starts after the last event delivered, so the reader's own `position` is the only state that counts.
 *
 * States:
 * - `creating`: the server was asked for a consumer, then the follower for its confirmation: in this order, because a
 *   consumer in memory does not outlive a server that comes back with another log. Both → `reading`; no answer →
 *   `resting`; not confirmed → `stopped`.
 * - `reading`: events come in. A hole in the consumer's numbering, an unexpected status, a silence longer than
 *   {@link SILENCE_MS_MAX} (the server sends heartbeats every {@link HEARTBEAT_MS} while a request is open) or a
 *   reconnect → `resting`.
 * - `resting`: a pause with jitter, longer each consecutive time, then → `creating`.
 * - `stopped`: final.
 *
 * Invariants: events are delivered in strictly increasing sequence; what was requested and has not come, plus what
 * was delivered and not released, never exceeds `unreleasedMax`; no callback after `stop()`.
 */
export class OrderedReader<E = FollowedEvent> implements Following {
  readonly #connection: NatsConnection;
  readonly #manager: JetStreamManager;
  readonly #options: ReaderOptions<E>;
  #state: 'creating' | 'reading' | 'resting' | 'stopped' = 'creating';
  #subscription: Subscription | null = null;
  #consumer: string | null = null;
  #consumerSeq = 0;
  /** Requested and not yet come. */
  #outstanding = 0;
  /** Come and not yet released. */
  #unreleased = 0;
  #heardAtMs = Date.now();
  #failuresInARow = 0;
  #restTimer: NodeJS.Timeout | null = null;
  readonly #watchdog: NodeJS.Timeout;
  readonly #unwatch: () => void;
  position: number;
  remaining: number | null = null;

  constructor(connection: NatsConnection, manager: JetStreamManager, options: ReaderOptions<E>) {
    this.#connection = connection;
    this.#manager = manager;
    this.#options = options;
    this.position = options.after;
    this.#watchdog = setInterval(() => this.#watch(), HEARTBEAT_MS);
    this.#watchdog.unref();
    // Requests that were open died with the connection; a new consumer is the simple, certain way on.
    const onReconnect = () => this.#state === 'reading' && this.#rest('reconnected');
    this.#unwatch = options.watch.add({ onReconnect });
  }

  /** Begins. Resolves when the first consumer is there or has been tried: recovery goes on by itself. */
  async start(): Promise<void> {
    await this.#create();
  }

  release(count: number): void {
    this.#unreleased = Math.max(0, this.#unreleased - count);
    this.#request();
  }

  async stop(): Promise<void> {
    if (this.#state === 'stopped') return;
    this.#state = 'stopped';
    clearInterval(this.#watchdog);
    this.#unwatch();
    if (this.#restTimer !== null) clearTimeout(this.#restTimer);
    await this.#drop();
  }

  async #create(): Promise<void> {
    this.#state = 'creating';
    // Short: the name comes back in the reply subject of every event.
    const name = `r${nuid.next().slice(-12)}`;
    try {
      const info = await this.#manager.consumers.add(this.#options.stream, this.#consumerConfig(name));
      const confirmed = await (this.#options.confirm?.() ?? true);
      if (!confirmed) await this.stop();
      if (this.#hasStopped()) return void this.#delete(name);
      this.#begin(name, info.num_pending);
    } catch (error) {
      this.#rest(error instanceof Error ? error.message : String(error));
    }
  }

  /** Asked again after every wait, because `stop()` may have come meanwhile. */
  #hasStopped(): boolean {
    return this.#state === 'stopped';
  }

  #consumerConfig(name: string) {
    const { filter, headersOnly } = this.#options;
    return {
      name,
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: this.position + 1,
      replay_policy: ReplayPolicy.Instant,
      max_deliver: 1,
      mem_storage: true,
      num_replicas: 1,
      inactive_threshold: nanos(30_000),
      ...(filter !== undefined && { filter_subject: filter }),
      ...(headersOnly === true && { headers_only: true }),
    };
  }

  #begin(consumer: string, pending: number): void {
    const inbox = createInbox();
    this.#state = 'reading';
    this.#consumer = consumer;
    this.#consumerSeq = 0;
    this.#outstanding = 0;
    this.#heardAtMs = Date.now();
    this.remaining = pending;
    const subscription = this.#connection.subscribe(inbox, {
      callback: (error, message) => {
        if (this.#subscription !== subscription) return;
        if (error !== null) this.#rest(error.message);
        else this.#onMessage(message);
      },
    });
    this.#subscription = subscription;
    this.#options.onStarted?.(pending);
    this.#request();
  }

  /** Asks for more as soon as half of the room is free: rarely enough to be cheap, early enough not to run dry. */
  #request(): void {
    if (this.#state !== 'reading' || this.#subscription === null) return;
    const room = this.#options.unreleasedMax - this.#unreleased - this.#outstanding;
    if (room < this.#options.unreleasedMax / 2 && !(this.#outstanding === 0 && room > 0)) return;
    this.#outstanding += room;
    const request = { batch: room, expires: nanos(REQUEST_MS), idle_heartbeat: nanos(HEARTBEAT_MS) };
    const subject = `$JS.API.CONSUMER.MSG.NEXT.${this.#options.stream}.${this.#consumer}`;
    this.#connection.publish(subject, JSON.stringify(request), { reply: this.#subscription.getSubject() });
  }

  #onMessage(message: Msg): void {
    this.#heardAtMs = Date.now();
    const delivery = message.reply === undefined ? null : parseDelivery(message.reply);
    if (delivery === null) return this.#onStatus(message);
    this.#consumerSeq += 1;
    if (delivery.consumerSeq !== this.#consumerSeq || delivery.seq <= this.position) {
      return this.#rest(`hole: delivery ${delivery.consumerSeq} came where ${this.#consumerSeq} was due`);
    }
    this.#failuresInARow = 0;
    this.#outstanding = Math.max(0, this.#outstanding - 1);
    this.position = delivery.seq;
    this.remaining = delivery.remaining;
    const event = this.#options.decode(message, delivery);
    if (event !== null) this.#deliver(event);
    this.#request();
  }

  #deliver(event: E): void {
    this.#unreleased += 1;
    this.#options.onEvent(event);
    if (this.#options.manualRelease !== true) this.#unreleased = Math.max(0, this.#unreleased - 1);
  }

  /** 100: heartbeat. 408 and 409 may end a request: `Nats-Pending-Messages` is what it still owed. */
  #onStatus(message: Msg): void {
    const code = message.headers?.code ?? 0;
    if (code === 100) return;
    const description = message.headers?.description ?? '';
    if (code === 408 || (code === 409 && /batch completed|maxbytes/i.test(description))) {
      const owed = message.headers?.get('Nats-Pending-Messages') ?? '';
      this.#outstanding = owed === '' ? 0 : Math.max(0, this.#outstanding - Number(owed));
      return this.#request();
    }
    this.#rest(`status ${code} ${description}`);
  }

  #watch(): void {
    if (this.#state !== 'reading' || this.#outstanding === 0) return;
    const silentMs = Date.now() - this.#heardAtMs;
    if (silentMs > SILENCE_MS_MAX) this.#rest(`silent for ${silentMs} ms`);
  }

  #rest(reason: string): void {
    if (this.#state === 'stopped' || this.#state === 'resting') return;
    this.#state = 'resting';
    this.#failuresInARow += 1;
    const pauseMs = backoffMs(REST_BACKOFF, this.#failuresInARow, Math.random);
    this.#options.onRestart?.(reason, this.position);
    void this.#drop();
    this.#restTimer = setTimeout(() => void this.#create(), pauseMs);
  }

  async #drop(): Promise<void> {
    this.#subscription?.unsubscribe();
    this.#subscription = null;
    const consumer = this.#consumer;
    this.#consumer = null;
    if (consumer !== null) await this.#delete(consumer);
  }

  async #delete(consumer: string): Promise<void> {
    try {
      await this.#manager.consumers.delete(this.#options.stream, consumer);
    } catch {
      // Gone already, or out of reach: the server removes an ephemeral consumer after `inactive_threshold`.
    }
  }
}

export interface ReaderOptions<E> {
  readonly stream: string;
  readonly watch: ConnectionWatch;
  readonly after: number;
  readonly unreleasedMax: number;
  readonly manualRelease?: boolean | undefined;
  readonly headersOnly?: boolean | undefined;
  readonly filter?: string | undefined;
  /** What a message means; what means nothing (`null`) is passed over. */
  readonly decode: (message: Msg, delivery: Delivery) => E | null;
  readonly onEvent: (event: E) => void;
  /** See {@link FollowOptions.confirm}. */
  readonly confirm?: (() => Promise<boolean>) | undefined;
  /** A consumer was made; `pending` events wait after the position. */
  readonly onStarted?: (pending: number) => void;
  /** The consumer is given up; another one will be made. */
  readonly onRestart?: (reason: string, position: number) => void;
}

const HEARTBEAT_MS = 2_000;
const SILENCE_MS_MAX = 5_000;
/** How long a request for more stays open at the server. */
const REQUEST_MS = 30_000;
const REST_BACKOFF = { delayMsMin: 20, delayMsMax: 2_000 };
