import { encodeSignal } from '../../contracts/signals.ts';
import type { Signal, Signals } from '../../ports/signals.ts';
import { type OnSignalFault, SignalDispatch } from './signalDispatch.ts';

/**
 * What connects processes in memory: the twin of nats-server for tests. Signals pass through the same encoding and are
 * delivered in a later microtask, in order.
 */
export class MemorySignalBus {
  readonly #connected = new Set<SignalDispatch>();
  /** While true, nobody can send. */
  interrupted = false;

  /** Signals of one more process. */
  connect(onFault: OnSignalFault = () => {}): MemorySignals {
    const dispatch = new SignalDispatch(onFault);
    this.#connected.add(dispatch);
    return new MemorySignals(this, dispatch, onFault, () => this.#connected.delete(dispatch));
  }

  /** Sends bytes as they are, as somebody else on the server might. */
  send(subject: string, bytes: Uint8Array): void {
    queueMicrotask(() => {
      for (const dispatch of this.#connected) dispatch.accept(subject, bytes);
    });
  }
}

export class MemorySignals implements Signals {
  readonly #bus: MemorySignalBus;
  readonly #dispatch: SignalDispatch;
  readonly #onFault: OnSignalFault;
  readonly #leave: () => void;
  #closed = false;

  constructor(bus: MemorySignalBus, dispatch: SignalDispatch, onFault: OnSignalFault, leave: () => void) {
    this.#bus = bus;
    this.#dispatch = dispatch;
    this.#onFault = onFault;
    this.#leave = leave;
  }

  publish(signal: Signal): void {
    try {
      const { subject, text } = encodeSignal(signal);
      if (this.#closed || this.#bus.interrupted) this.#onFault({ kind: 'notSent', detail: 'no connection' });
      else this.#bus.send(subject, Buffer.from(text));
    } catch (error) {
      this.#onFault({ kind: 'malformed', detail: `not sent: ${String(error)}` });
    }
  }

  subscribe(onSignal: (signal: Signal) => void): () => void {
    return this.#dispatch.add(onSignal);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#dispatch.clear();
    this.#leave();
  }
}
