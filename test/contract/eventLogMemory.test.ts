import { MemoryEventLog } from '../../src/eventlog/memory/memoryEventLog.ts';
import { eventLogContract } from './eventLogContract.ts';

eventLogContract('the log in memory', async () => ({ log: new MemoryEventLog(), close: async () => {} }));
