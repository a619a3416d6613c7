import { systemClock } from '../../src/platform/clock.ts';
import { MemorySharedConversations } from '../../src/platform/memorySharedConversations.ts';
import { sharedConversationsContract } from './sharedConversationsContract.ts';

sharedConversationsContract('in memory', async () => {
  const shared = new MemorySharedConversations(systemClock);
  return { one: shared, other: shared, stop: async () => {} };
});
