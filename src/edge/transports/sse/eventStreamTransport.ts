import type { ServerResponse } from 'node:http';
import { viewConversation } from '../../../application/reading/viewConversation.ts';
import { DISCONNECTS } from '../../../contracts/frames/disconnects.ts';
import type { SessionContext } from '../../context.ts';
import type { OnEdgeEvent } from '../../edgeEvents.ts';
import type { Gate } from '../../gate/gate.ts';
import type { LinkedEvent } from '../../linkedEvent.ts';
import type { Drainable, Fanout } from '../../transport.ts';
import { EventStreamConnection } from './eventStreamConnection.ts';

export interface EventStreamOptions {
  readonly gate: Gate;
  readonly backpressureBytesMax: number;
  /** How long a stream lasts at most, in seconds. Default 300. */
  readonly secondsMax?: number;
  /** Interval of heartbeats, in milliseconds. Default 15,000. */
  readonly beatMs?: number;
  readonly onEvent: OnEdgeEvent;
}

export interface EventStreamRequest {
  readonly conversationId: string;
  /** `null`: no user; open conversations only. */
  readonly userId: string | null;
  /** Last event seen; absent: only what comes. */
  readonly after?: number | undefined;
  /** The epoch under which it was seen. */
  readonly epoch?: string | undefined;
}

/** Comments in this interval keep proxies from closing a quiet stream, and reveal clients that are gone. */
const HEARTBEAT_MS = 15_000;
const SECONDS_MAX = 300;
/** Streams that began together end at other times: each is shorter by up to this share. */
const SPREAD = 0.2;
const TRANSPORT = 'sse';

/** Events of one conversation as `text/event-stream`, for clients that only listen and have nothing but HTTP. */
export class EventStreamTransport implements Drainable, Fanout {
  readonly #context: SessionContext;
  readonly #options: EventStreamOptions;
  readonly #connections = new Set<EventStreamConnection>();
  readonly #followers = new Map<string, Set<EventStreamConnection>>();
  readonly #heartbeat: NodeJS.Timeout;
  /** Let in, and not open yet. */
  #admitted = 0;
  readonly #beatsMax: number;
  readonly inFlight = 0;

  constructor(context: SessionContext, options: EventStreamOptions) {
    this.#context = context;
    this.#options = options;
    options.gate.count(() => this.#connections.size + this.#admitted);
    const { beatMs = HEARTBEAT_MS, secondsMax = SECONDS_MAX } = options;
    this.#beatsMax = Math.max(2, Math.floor((secondsMax * 1_000) / beatMs));
    this.#heartbeat = setInterval(() => {
      for (const connection of this.#connections) connection.beat();
    }, beatMs);
    this.#heartbeat.unref();
  }

  get connections(): number {
    return this.#connections.size;
  }

  /**
   * Answers a request with the conversation's events, for as long as the client listens.
   *
   * @throws ChatError not_found, overloaded or log_unavailable, before anything was sent
   */
  async serve(request: EventStreamRequest, response: ServerResponse): Promise<void> {
    const { conversationId, userId, after, epoch } = request;
    // The API says by CORS whose pages may read the answer.
    const refusal = this.#options.gate.admit({ transport: TRANSPORT, origin: '' });
    if (refusal !== null) throw refusal;
    this.#admitted += 1;
    try {
      await viewConversation(this.#context.application, conversationId, userId);
    } finally {
      this.#admitted -= 1;
    }
    if (response.destroyed) return;
    const connection: EventStreamConnection = new EventStreamConnection(response, this.#context, {
      userId: userId ?? '',
      fanout: this,
      followers: this.#followers,
      unsentBytesMax: this.#options.backpressureBytesMax,
      beatsMax: Math.max(1, Math.round(this.#beatsMax * (1 - SPREAD * Math.random()))),
      onSlow: () => {
        this.#options.onEvent({ type: 'slowConsumer', transport: TRANSPORT, userId: userId ?? '' });
      },
      onClose: () => this.#closed(connection),
    });
    this.#connections.add(connection);
    this.#options.onEvent({ type: 'connected', transport: TRANSPORT });
    await connection.join({ conversationId, after, epoch });
  }

  publish(conversationId: string, event: LinkedEvent): void {
    for (const connection of [...(this.#followers.get(conversationId) ?? [])]) connection.deliver(event);
  }

  announceDraining(retryAfterMs: () => number): void {
    for (const connection of this.#connections) {
      connection.reply({ op: 'draining', retryAfterMs: retryAfterMs() });
    }
  }

  closeSome(count: number): void {
    for (const connection of this.#connections) {
      if (count-- <= 0) return;
      connection.close(DISCONNECTS.draining);
    }
  }

  stop(): void {
    clearInterval(this.#heartbeat);
  }

  #closed(connection: EventStreamConnection): void {
    this.#connections.delete(connection);
    this.#options.onEvent({ type: 'disconnected', transport: TRANSPORT, reason: connection.closeReason });
  }
}
