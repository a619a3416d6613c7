import { isUtf8 } from 'node:buffer';
import { decodeSignal, SIGNAL_BYTES_MAX } from '../../contracts/signals.ts';
import type { Signal, SignalFault } from '../../ports/signals.ts';

export type OnSignalFault = (fault: SignalFault) => void;

/** From bytes to subscribers: what every implementation of the port does with what arrives. */
export class SignalDispatch {
  readonly #subscribers = new Set<{ readonly onSignal: (signal: Signal) => void }>();
  readonly #onFault: OnSignalFault;

  constructor(onFault: OnSignalFault) {
    this.#onFault = onFault;
  }

  add(onSignal: (signal: Signal) => void): () => void {
    // An object of its own, so that the same function may subscribe twice.
    const subscriber = { onSignal };
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  }

  clear(): void {
    this.#subscribers.clear();
  }

  accept(subject: string, bytes: Uint8Array): void {
    if (this.#subscribers.size === 0) return;
    const signal = decode(subject, bytes);
    if (signal === null) {
      this.#onFault({ kind: 'malformed', detail: `received on ${subject}` });
      return;
    }
    for (const subscriber of this.#subscribers) this.#deliver(subscriber.onSignal, signal);
  }

  #deliver(onSignal: (signal: Signal) => void, signal: Signal): void {
    try {
      onSignal(signal);
    } catch (error) {
      this.#onFault({ kind: 'handlerFailed', detail: String(error) });
    }
  }
}

/** Checks the length first: what is huge is not even read. */
function decode(subject: string, bytes: Uint8Array): Signal | null {
  if (bytes.length > SIGNAL_BYTES_MAX || !isUtf8(bytes)) return null;
  return decodeSignal(subject, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'));
}
