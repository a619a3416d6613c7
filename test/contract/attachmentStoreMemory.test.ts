import { MemoryAttachments } from '../../src/eventlog/memory/memoryAttachments.ts';
import { attachmentStoreContract } from './attachmentStoreContract.ts';

attachmentStoreContract('the store of uploads in memory', async (bytesMax) => ({
  store: new MemoryAttachments({ bytesMax }),
  close: async () => {},
}));
