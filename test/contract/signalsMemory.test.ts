import { MemorySignalBus } from '../../src/platform/signals/memorySignals.ts';
import { signalsContract } from './signalsContract.ts';

signalsContract('signals in memory', async () => {
  const bus = new MemorySignalBus();
  return {
    connect: async (onFault) => bus.connect(onFault),
    inject: (subject, bytes) => bus.send(subject, bytes),
    interrupt: async () => {
      bus.interrupted = true;
    },
    restore: async () => {
      bus.interrupted = false;
    },
    close: async () => {},
  };
});
