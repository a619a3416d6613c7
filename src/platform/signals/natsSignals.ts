import type { NatsConnection } from 'nats';
import { SIGNALS_SUBJECTS } from '../../contracts/events/subjects.ts';
import { type EncodedSignal, encodeSignal } from '../../contracts/signals.ts';
import type { Signal, Signals } from '../../ports/signals.ts';
import { ConnectionWatch } from '../nats/connectionWatch.ts';
import { withTimeout } from '../time/withTimeout.ts';
import { type OnSignalFault, SignalDispatch } from './signalDispatch.ts';

export interface NatsSignalsOptions {
  readonly onFault: OnSignalFault;
  /** Called when signals can be sent again after an interruption, in which some were lost. */
  readonly onReconnect?: () => void;
  /**
   * Signals that the server has not confirmed to have read, at most; more are dropped. Bounds what the client would
   * pile up for a server that is frozen and not yet known to be. Default 8,192.
   */
  readonly unconfirmedMax?: number;
}

/**
 * Signals on plain NATS subjects. Lives here and not in `eventlog`, because there is nothing of the log in it: no
 * stream, no sequence, no acknowledgement.
 *
 * States: connected → (disconnect) → disconnected → (reconnect) → connected; closed is final. Signals are sent only
 * when connected: the client would keep them and send them after the interruption, when nobody types any more.
 *
 * One subscription serves the whole process; the client restores it after an interruption. A PING goes out with every
 * `unconfirmedMax / 4` signals, and its PONG says that the server has read all signals before it.
 */
export class NatsSignals implements Signals {
  readonly #connection: NatsConnection;
  readonly #onFault: OnSignalFault;
  readonly #dispatch: SignalDispatch;
  readonly #unconfirmedMax: number;
  readonly #unsubscribe: () => void;
  readonly #unwatch: () => void;
  #state: 'connected' | 'disconnected' | 'closed' = 'connected';
  /** Signals sent over this connection, and how many of them the server has certainly read. */
  #sent = 0;
  #confirmed = 0;
  #asked = 0;

  constructor(connection: NatsConnection, options: NatsSignalsOptions) {
    this.#connection = connection;
    this.#onFault = options.onFault;
    this.#unconfirmedMax = options.unconfirmedMax ?? 8_192;
    this.#dispatch = new SignalDispatch(options.onFault);
    const subscription = connection.subscribe(SIGNALS_SUBJECTS, {
      callback: (error, { subject, data }) => {
        if (error === null) this.#dispatch.accept(subject, data);
      },
    });
    this.#unsubscribe = () => subscription.unsubscribe();
    this.#unwatch = new ConnectionWatch(connection).add({
      onDisconnect: () => this.#connectedIs(false),
      onReconnect: () => {
        this.#connectedIs(true);
        options.onReconnect?.();
      },
    });
  }

  publish(signal: Signal): void {
    const encoded = this.#encode(signal);
    if (encoded === null) return;
    if (this.#state !== 'connected') return this.#drop(`the connection is ${this.#state}`);
    if (this.#sent - this.#confirmed >= this.#unconfirmedMax) {
      return this.#drop(`${this.#unconfirmedMax} signals are on their way already`);
    }
    try {
      this.#connection.publish(encoded.subject, encoded.text);
    } catch (error) {
      return this.#drop(String(error));
    }
    this.#sent += 1;
    if (this.#sent - this.#asked >= this.#unconfirmedMax / 4) this.#askForConfirmation();
  }

  subscribe(onSignal: (signal: Signal) => void): () => void {
    return this.#dispatch.add(onSignal);
  }

  /** Ends it once the server has what was sent, or after `timeoutMs` (default 1,000). The connection stays open. */
  async close(timeoutMs = 1_000): Promise<void> {
    if (this.#state === 'closed') return;
    const wasConnected = this.#state === 'connected' && !this.#connection.isClosed();
    this.#state = 'closed';
    this.#unwatch();
    this.#dispatch.clear();
    if (this.#connection.isClosed()) return;
    this.#unsubscribe();
    // Signals may be lost, so it is no failure when the last of them are.
    if (wasConnected) await withTimeout(this.#connection.flush(), timeoutMs, 'Flushing').catch(() => {});
  }

  #encode(signal: Signal): EncodedSignal | null {
    try {
      return encodeSignal(signal);
    } catch (error) {
      this.#onFault({ kind: 'malformed', detail: `not sent: ${String(error)}` });
      return null;
    }
  }

  #drop(detail: string): void {
    this.#onFault({ kind: 'notSent', detail });
  }

  #askForConfirmation(): void {
    const asked = this.#sent;
    this.#asked = asked;
    // After a reconnect everything counts as read: what was on its way then is gone.
    const confirm = () => {
      this.#confirmed = Math.max(this.#confirmed, asked);
    };
    this.#connection.flush().then(confirm, confirm);
  }

  #connectedIs(connected: boolean): void {
    if (this.#state === 'closed') return;
    this.#state = connected ? 'connected' : 'disconnected';
    this.#asked = this.#sent;
    this.#confirmed = this.#sent;
  }
}
