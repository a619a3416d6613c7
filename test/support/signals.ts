import { MemorySignalBus } from '../../src/platform/memorySignals.ts';

/** Signals and presence for an edge that has no other processes around it and nobody who asks who is online. */
export function aloneOnline() {
  return {
    signals: new MemorySignalBus().connect(),
    presence: { connected: () => {}, disconnected: () => {} },
  };
}
