import { Empty, headers, type JetStreamManager, type NatsConnection, NatsError, type StreamInfo } from 'nats';
import { conversationSubjects, EVENTS_STREAM, eventSubject } from '../../contracts/events/subjects.ts';
import type { EventCategory } from '../../domain/conversation/events.ts';
import { ConnectionWatch } from '../../platform/nats/connectionWatch.ts';
import type { EventFeed, Following, FollowOptions } from '../../ports/eventFeed.ts';
import {
  type AppendRequest,
  type AppendResult,
  type EpochRenewal,
  type EventLog,
  EventTooLargeError,
  LogOverloadedError,
  type LogStatus,
  LogUnavailableError,
  type StoredEvent,
} from '../../ports/eventLog.ts';
import { ConfirmedWatch } from './confirmedWatch.ts';
import { isNoMessage, readDirect } from './directGet.ts';
import { toFollowedEvent } from './feedMessage.ts';
import { LogCircuit } from './logCircuit.ts';
import type { LogCircuitOptions } from './logCircuitOptions.ts';
import type { LogState } from './logCircuitStates.ts';
import { LogWitness } from './logWitness.ts';
import { OrderedReader } from './orderedReader.ts';
import { PipelinedPublisher } from './publisher.ts';
import type { PublisherEvent, PublisherOptions } from './publisherOptions.ts';
import {
  describeLog,
  ensureEventStream,
  epochOf,
  logIdOf,
  readStreamDefinition,
  type StreamSizing,
  statusOf,
} from './streamDefinition.ts';

export type LogEvent =
  | PublisherEvent
  | { readonly type: 'readerRestarted'; readonly reason: string; readonly position: number }
  | { readonly type: 'logState'; readonly from: LogState; readonly to: LogState }
  /** It answers questions and acknowledges nothing: so is a nats-server whose disk was full, until it is restarted. */
  | { readonly type: 'logTakesNothing' }
  | { readonly type: 'epochChanged'; readonly from: string; readonly to: string };

export interface JetStreamLogOptions {
  readonly connection: NatsConnection;
  /** `nats/streams/CHAT_EVENTS.json`. */
  readonly definition: URL;
  readonly settings: StreamSizing;
  readonly publisher: Omit<PublisherOptions, 'onEvent' | 'circuit'>;
  /** When the log counts as unavailable. */
  readonly circuit?: Pick<LogCircuitOptions, 'silentChecks' | 'graceChecks' | 'readsMax'>;
  readonly makeEpoch: () => string;
  readonly onEvent?: (event: LogEvent) => void;
}

/** How long one read of the log may take, in milliseconds. */
const READ_MS_MAX = 3_000;

/**
 * Opens the log: checks or creates the stream, then publishes and reads over the given connection.
 *
 * @throws StreamMismatchError when the stream is not as defined
 */
export async function openJetStreamLog(options: JetStreamLogOptions): Promise<JetStreamLog> {
  const manager = await options.connection.jetstreamManager({ timeout: READ_MS_MAX });
  const definition = await readStreamDefinition(options.definition, options.settings);
  const info = await ensureEventStream(manager, definition, options.makeEpoch);
  return new JetStreamLog(options, manager, info);
}

/** The log on NATS JetStream: {@link EventLog} and {@link EventFeed} in one, over one connection. */
export class JetStreamLog implements EventLog, EventFeed {
  readonly #connection: NatsConnection;
  readonly #manager: JetStreamManager;
  readonly #watch: ConnectionWatch;
  readonly #circuit: LogCircuit;
  readonly #publisher: PipelinedPublisher;
  readonly #witness: LogWitness;
  readonly #onEvent: (event: LogEvent) => void;
  readonly #makeEpoch: () => string;
  readonly #bytesMaxPerEvent: number;
  epoch: string;

  constructor(options: JetStreamLogOptions, manager: JetStreamManager, info: StreamInfo) {
    this.#connection = options.connection;
    this.#manager = manager;
    this.#onEvent = options.onEvent ?? (() => {});
    this.#makeEpoch = options.makeEpoch;
    this.#watch = new ConnectionWatch(options.connection);
    this.#circuit = new LogCircuit({
      ...options.circuit,
      probe: () => this.#probe(),
      isAnswer: (error) => error instanceof NatsError && error.api_error !== undefined,
      onState: (from, to) => this.#onEvent({ type: 'logState', from, to }),
      onTakesNothing: () => this.#onEvent({ type: 'logTakesNothing' }),
    });
    this.#witness = new LogWitness(statusOf(info));
    const publisherOptions = {
      ...options.publisher,
      circuit: this.#circuit,
      onEvent: this.#onEvent,
      onStored: (seq: number, bytes: Uint8Array) => this.#witness.saw(seq, bytes),
    };
    const confirmed = new ConfirmedWatch(this.#watch, (isWanted) => this.#witness.confirm(this, isWanted));
    this.#publisher = new PipelinedPublisher(options.connection, confirmed, publisherOptions);
    // After the publisher: what it sends again after a reconnect comes before the circuit's question.
    this.#watch.add({
      onDisconnect: () => this.#circuit.onDisconnect(),
      onReconnect: () => this.#circuit.onReconnect(),
    });
    this.#bytesMaxPerEvent = (info.config.max_msg_size ?? 1_000_000) - HEADER_BYTES_MAX;
    this.epoch = epochOf(info.config) ?? '';
  }

  /** Moving average of the time until a PubAck, in milliseconds. */
  get publishAckMs(): number | null {
    return this.#publisher.ackMs;
  }

  /** Whether the log can be asked just now, as far as this process knows. */
  get state(): LogState {
    return this.#circuit.state;
  }

  get knownSeq(): number {
    return this.#witness.seq;
  }

  append(request: AppendRequest): Promise<AppendResult> {
    const { bytes, idempotencyKey: key, expectedSeq } = request;
    if (bytes.length > this.#bytesMaxPerEvent) {
      const message = `The event has ${bytes.length} bytes; the log takes ${this.#bytesMaxPerEvent} at most.`;
      return Promise.reject(new EventTooLargeError(message));
    }
    const subject = eventSubject(request.conversationId, request.category);
    return this.#publisher.publish({ subject, bytes, key, expectedSeq });
  }

  latest(conversationId: string, category: EventCategory): Promise<StoredEvent | null> {
    const subject = eventSubject(conversationId, category);
    return this.#directGet(`$JS.API.DIRECT.GET.${EVENTS_STREAM}.${subject}`, Empty);
  }

  at(seq: number): Promise<StoredEvent | null> {
    if (seq < 1) return Promise.resolve(null);
    return this.#directGet(`$JS.API.DIRECT.GET.${EVENTS_STREAM}`, JSON.stringify({ seq }));
  }

  async erase(seq: number): Promise<boolean> {
    try {
      return await this.#circuit.ask(() => this.#manager.streams.deleteMessage(EVENTS_STREAM, seq, true));
    } catch (cause) {
      if (cause instanceof NatsError && isNoMessage(cause)) return false;
      if (!(cause instanceof NatsError)) throw cause;
      const reason = cause.code;
      throw new LogUnavailableError(`Event ${seq} cannot be erased (${reason})`, { cause });
    }
  }

  async status(): Promise<LogStatus> {
    const status = statusOf(await this.#ask(() => this.#manager.streams.info(EVENTS_STREAM)));
    this.#noteEpoch(status);
    return status;
  }

  async renewEpoch({ from, lost = from, logId }: EpochRenewal): Promise<string> {
    const { config } = await this.#ask(() => this.#manager.streams.info(EVENTS_STREAM));
    const found = epochOf(config) ?? '';
    if (found !== from) return found;
    const renewed = this.#makeEpoch();
    const description = describeLog(renewed, { logId: logId ?? logIdOf(config), previous: lost });
    const update = { ...config, description };
    this.#noteEpoch(statusOf(await this.#ask(() => this.#manager.streams.update(EVENTS_STREAM, update))));
    return renewed;
  }

  /**
   * Followers of the whole log wait until it is back. One conversation is read because somebody waits for it: that is
   * refused while the log is unavailable.
   */
  async follow(options: FollowOptions): Promise<Following> {
    if (options.conversationId !== undefined && this.#circuit.refusesReads)
      throw this.#circuit.unavailableError();
    const after = options.after === 'now' ? (await this.status()).lastSeq : options.after;
    const reader = new OrderedReader(this.#connection, this.#manager, {
      stream: EVENTS_STREAM,
      watch: this.#watch,
      after,
      unreleasedMax: options.unreleasedMax ?? 2_048,
      manualRelease: options.manualRelease,
      headersOnly: options.headersOnly,
      filter: filterOf(options),
      decode: toFollowedEvent,
      confirm: options.confirm,
      onEvent: this.#observed(options),
      onRestart: (reason, position) => this.#onEvent({ type: 'readerRestarted', reason, position }),
    });
    await reader.start();
    return reader;
  }

  /** Stops taking appends and waits for those in flight. The connection is its owner's to close. */
  close(timeoutMs: number): Promise<void> {
    return this.#publisher.close(timeoutMs).finally(() => this.#circuit.close());
  }

  /** Notes what is read. */
  #observed({ headersOnly, onEvent }: FollowOptions): FollowOptions['onEvent'] {
    return (event) => {
      if (headersOnly === true) this.#witness.sawHeaders(event.seq);
      else this.#witness.saw(event.seq, event.bytes);
      onEvent(event);
    };
  }

  #noteEpoch(status: LogStatus): void {
    const { epoch } = status;
    if (epoch === this.epoch) return;
    this.#witness.begin(status);
    this.#onEvent({ type: 'epochChanged', from: this.epoch, to: epoch });
    this.epoch = epoch;
  }

  async #directGet(subject: string, request: string | Uint8Array): Promise<StoredEvent | null> {
    const reply = await this.#ask(() => this.#connection.request(subject, request, { timeout: READ_MS_MAX }));
    return readDirect(reply);
  }

  /**
   * An append that says which stream it is for, and names another one. The stream refuses it where it would store it, so the
   * answer says that appends are taken, and nothing is stored. Source of the header: the NATS documentation,
   * "JetStream headers"; the refusal is error 10060.
   */
  async #probe(): Promise<void> {
    const expectations = headers();
    expectations.set('Nats-Expected-Stream', 'NONE');
    const subject = eventSubject('probe', 'message');
    await this.#connection.request(subject, Empty, { timeout: READ_MS_MAX, headers: expectations });
  }

  async #ask<T>(request: () => Promise<T>): Promise<T> {
    try {
      return await this.#circuit.ask(request);
    } catch (cause) {
      if (cause instanceof LogUnavailableError || cause instanceof LogOverloadedError) throw cause;
      const reason = cause instanceof NatsError ? cause.code : String(cause);
      throw new LogUnavailableError(`The log cannot be read (${reason})`, { cause });
    }
  }
}

/** Room for the idempotency key and the expected sequence within `max_msg_size`, which counts headers too. */
const HEADER_BYTES_MAX = 512;

function filterOf(options: FollowOptions): string | undefined {
  const { conversationId, category } = options;
  if (conversationId !== undefined) {
    return category === undefined
      ? conversationSubjects(conversationId)
      : eventSubject(conversationId, category);
  }
  return category === undefined ? undefined : `chat.events.*.*.${category}`;
}
