import { MemorySharedConversations } from '../../src/platform/redis/memorySharedConversations.ts';
import { systemClock } from '../../src/platform/time/clock.ts';
import { sharedConversationsContract } from './sharedConversationsContract.ts';

sharedConversationsContract('in memory', async () => {
  const shared = new MemorySharedConversations(systemClock);
  return { one: shared, other: shared, stop: async () => {} };
});
