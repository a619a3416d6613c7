import { ChatError } from '../../contracts/errors.ts';
import { type AllowedOrigins, allowsOrigin } from '../../middleware/origins.ts';
import type { Clock } from '../../ports/clock.ts';
import type { OnEdgeEvent, TransportName } from '../edgeEvents.ts';
import { AdmissionControl } from './admission.ts';

export interface GateOptions {
  /** Connections of all transports together, at most. */
  readonly connectionsMax: number;
  /** Connections opened per second over all transports, at most. */
  readonly connectsPerSecondMax: number;
  /** Whose pages may connect from a browser. Default: those of any origin. */
  readonly allowedOrigins?: AllowedOrigins | undefined;
  readonly clock: Clock;
  readonly onEvent: OnEdgeEvent;
}

/** A client that asks for a connection. */
export interface Newcomer {
  readonly transport: TransportName;
  /**
   * Origin of its page, as its header says. Empty: no page asks, or the browser itself keeps the answer from foreign
   * pages, as it does over HTTP (CORS) and not over WebSockets.
   */
  readonly origin: string;
}

/**
 * Decides who may come in, for all transports of a process. Each is asked in the same order, and the first refusal counts:
 *
 * 1. the page: it must be of an allowed origin;
 * 2. the client: nothing yet; blocklist and rate limits belong here, before anything is spent on it;
 * 3. the room: no more while draining, over the ceiling of connections or over the rate at which they open.
 *
 * A client that is refused for its page spends nothing of the rate. What a transport asks beyond that (user id, subprotocol)
 * comes after the gate.
 */
export class Gate {
  readonly #options: GateOptions;
  readonly #admission: AdmissionControl;
  readonly #counts: (() => number)[] = [];

  constructor(options: GateOptions) {
    this.#options = options;
    this.#admission = new AdmissionControl({
      perSecondMax: options.connectsPerSecondMax,
      connectionsMax: options.connectionsMax,
      nowMs: () => options.clock.nowMs(),
    });
  }

  /** Connections of all transports that are counted here. */
  get connections(): number {
    return this.#counts.reduce((sum, count) => sum + count(), 0);
  }

  get draining(): boolean {
    return this.#admission.draining;
  }

  /** Lets nobody in any more. */
  drain(): void {
    this.#admission.draining = true;
  }

  /**
   * Counts a transport's connections from now on.
   *
   * @param connections from the moment that each was admitted, whatever it still lacks
   */
  count(connections: () => number): void {
    this.#counts.push(connections);
  }

  /** @returns why a new connection is refused; null when it is let in */
  admit(newcomer: Newcomer): ChatError | null {
    return this.#report(newcomer, this.#foreignPage(newcomer) ?? this.#noRoom(newcomer));
  }

  /**
   * For a further request of a connection that was let in: it takes no more room, but another page may have made it.
   *
   * @returns why it is refused; null when it is not
   */
  readmit(newcomer: Newcomer): ChatError | null {
    return this.#report(newcomer, this.#foreignPage(newcomer));
  }

  #foreignPage({ origin }: Newcomer): ChatError | null {
    if (allowsOrigin(this.#options.allowedOrigins, origin)) return null;
    return new ChatError(
      'forbidden',
      'Pages of this origin may not connect here: CORS_ORIGINS lists who may.',
    );
  }

  #noRoom({ transport }: Newcomer): ChatError | null {
    const admission = this.#admission.admit(this.connections);
    if (admission.admitted) return null;
    const { retryAfterMs } = admission;
    return new ChatError('overloaded', transport === 'sse' ? NO_STREAM : NO_CONNECTION, { retryAfterMs });
  }

  #report({ transport }: Newcomer, refusal: ChatError | null): ChatError | null {
    if (refusal !== null) this.#options.onEvent({ type: 'refused', transport, reason: refusal.code });
    return refusal;
  }
}

const NO_CONNECTION = 'This edge takes no more connections just now.';
const NO_STREAM = 'No more event streams are taken just now.';
