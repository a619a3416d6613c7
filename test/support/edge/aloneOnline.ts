import { MemorySignalBus } from '../../../src/platform/signals/memorySignals.ts';

/** Signals, presence, receipts and progress for an edge that has nobody around it who would ask for them. */
export function aloneOnline() {
  return {
    signals: new MemorySignalBus().connect(),
    presence: { connected: () => {}, disconnected: () => {}, online: async () => new Set<string>() },
    historyProgress: { waitFor: async () => 'late' as const },
    readMarks: { mark: async ({ seq }: { seq: number }) => ({ seq }) },
  };
}
