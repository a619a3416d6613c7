import { Presence, type PresenceOptions } from '../../../src/application/presence/presence.ts';
import type { MemorySignalBus } from '../../../src/platform/signals/memorySignals.ts';
import type { Signal, Signals } from '../../../src/ports/signals.ts';
import type { ManualTime } from '../time/manualTime.ts';

/** Signals that get lost when the test says so, on their way out and on their way in. */
export class LossySignals implements Signals {
  readonly #signals: Signals;
  loses: (signal: Signal) => boolean = () => false;

  constructor(signals: Signals) {
    this.#signals = signals;
  }

  publish(signal: Signal): void {
    if (!this.loses(signal)) this.#signals.publish(signal);
  }

  subscribe(onSignal: (signal: Signal) => void): () => void {
    return this.#signals.subscribe((signal) => {
      if (!this.loses(signal)) onSignal(signal);
    });
  }
}

export interface PresenceProcess {
  readonly presence: Presence;
  readonly signals: LossySignals;
  /** What it has sent. */
  readonly sent: Signal[];
}

let started = 0;

/** One more process with presence on a bus in memory, at a time that the test moves. */
export function startPresence(
  bus: MemorySignalBus,
  time: ManualTime,
  options: Partial<PresenceOptions> = {},
): PresenceProcess {
  const sent: Signal[] = [];
  const memory = bus.connect();
  const signals = new LossySignals({
    publish: (signal) => {
      sent.push(structuredClone(signal));
      memory.publish(signal);
    },
    subscribe: (onSignal) => memory.subscribe(onSignal),
  });
  started += 1;
  const presence = new Presence({
    signals,
    clock: time,
    timers: time,
    edgeId: `edge-${started}`,
    random: () => 0.5,
    ...options,
  });
  return { presence, signals, sent };
}
