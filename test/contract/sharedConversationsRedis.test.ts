import { afterAll, beforeAll } from 'vitest';
import { RedisConversations } from '../../src/platform/redis/redisConversations.ts';
import { PatientRedis, startTestRedis } from '../support/servers/redis.ts';
import type { TestServer } from '../support/servers/testServer.ts';
import { waitFor } from '../support/time/waitFor.ts';
import { sharedConversationsContract } from './sharedConversationsContract.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestRedis();
});
afterAll(() => server.stop());

sharedConversationsContract('in Redis', async () => {
  const connections = [new PatientRedis({ url: server.url }), new PatientRedis({ url: server.url })] as const;
  await waitFor('Redis', () => connections.every(({ isUp }) => isUp));
  await connections[0].command(['FLUSHALL']);
  return {
    one: new RedisConversations(connections[0]),
    other: new RedisConversations(connections[1]),
    stop: async () => {
      for (const redis of connections) redis.close();
    },
  };
});
