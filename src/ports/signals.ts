import type { Signal } from '../contracts/signals.ts';

export type { Signal } from '../contracts/signals.ts';

/** Something that did not become a signal. Nothing follows from it but that somebody should know. */
export interface SignalFault {
  /**
   * - `malformed`: what arrived, or what was to be sent, is not as the contract says;
   * - `notSent`: there is no connection, or it takes no more just now;
   * - `handlerFailed`: a subscriber threw.
   */
  readonly kind: 'malformed' | 'notSent' | 'handlerFailed';
  readonly detail: string;
}

/**
 * Signals between processes: typing, presence. Nothing is stored; what is lost stays lost, so a sender that needs certainty
 * repeats. Everybody hears everything, also the process that sent it.
 *
 * In production: `src/platform/signals/natsSignals.ts`.
 * In memory: `src/platform/signals/memorySignals.ts`.
 * Held by `test/contract/signalsContract.ts`.
 */
export interface Signals {
  /** Fire and forget: never throws, never waits. Dropped while there is no connection. */
  publish(signal: Signal): void;
  /**
   * Calls `onSignal` for every signal from now on, those of one process in the order of their sending, and never from
   * within {@link Signals.publish}.
   *
   * @returns a function after which it is not called any more
   */
  subscribe(onSignal: (signal: Signal) => void): () => void;
}
