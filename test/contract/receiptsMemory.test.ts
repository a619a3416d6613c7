import { MemoryReceipts } from '../../src/eventlog/memory/memoryReceipts.ts';
import { receiptsContract } from './receiptsContract.ts';

receiptsContract('the receipts in memory', async () => ({
  receipts: new MemoryReceipts(),
  close: async () => {},
}));
