import { afterAll, beforeAll, expect, test } from 'vitest';
import { newEdgeId } from '../../src/platform/ids.ts';
import { Redis } from '../../src/platform/redis/redis.ts';
import { RedisPresence } from '../../src/platform/redis/redisPresence.ts';
import { systemTimers } from '../../src/platform/time/timers.ts';
import { ChatClient } from '../support/edge/chatClient.ts';
import { startTestRedis } from '../support/servers/redis.ts';
import { type RunningSystem, startRunningSystem } from '../support/servers/runningSystem.ts';
import type { TestServer } from '../support/servers/testServer.ts';
import { waitFor } from '../support/time/waitFor.ts';

let server: TestServer;
let system: RunningSystem;
let redis: Redis;

/** The system is started while nobody is where it was told that Redis is. */
beforeAll(async () => {
  server = await startTestRedis();
  await server.kill9();
  system = await startRunningSystem({ ROLES: 'api,edge', REDIS_URL: server.url });
});
afterAll(async () => {
  redis?.close();
  await system?.remove();
  await server.stop();
});

const metric = async (line: string): Promise<number> => {
  const text = await (await fetch(`${system.apiUrl}/metrics`)).text();
  return Number(
    text
      .split('\n')
      .find((each) => each.startsWith(`${line} `))
      ?.slice(line.length + 1),
  );
};
const presenceOf = async (userId: string): Promise<string | undefined> => {
  const response = await fetch(`${system.apiUrl}/api/chat/presence?userIds=${userId}`);
  return ((await response.json()) as { presence: Record<string, string> }).presence[userId];
};

test('the system starts and works without Redis, and uses it once it is there', async () => {
  expect(await metric('chat_redis_up')).toBe(0);
  expect(await presenceOf('dora')).toBe('offline');
  expect(await metric('chat_cache_requests_total{cache="presence_shared",outcome="error"}')).toBe(1);
  await server.restart();
  await waitFor('Redis to be used', async () => (await metric('chat_redis_up')) === 1);
  redis = new Redis({ url: server.url });
  await waitFor('Redis', () => redis.isUp);
  const elsewhere = new RedisPresence({ redis, timers: systemTimers, edgeId: newEdgeId() });
  elsewhere.came('dora');
  await waitFor('dora to be online', async () => (await presenceOf('dora')) === 'online');
  await elsewhere.stop();
  expect(await presenceOf('dora')).toBe('offline');
});

test('what the system leaves in Redis are conversations, and who is online until it stops', async () => {
  const erin = new ChatClient(() => system.edgeUrl, 'erin');
  await erin.connect();
  const response = await fetch(`${system.apiUrl}/api/chat/conversations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ userId: 'erin', visibility: 'open' }),
  });
  const { conversation } = (await response.json()) as { conversation: { id: string } };
  const keys = async () => String(await redis.command(['KEYS', '*']));
  await waitFor('the conversation', async () => (await keys()).includes(conversation.id));
  await waitFor('erin', async () => /chat:presence:[A-Za-z0-9_-]+/.test(await keys()));
  expect(await metric('chat_cache_entries{cache="conversations"}')).toBe(1);
  erin.drop();
  expect(await system.stop()).toBe(0);
  expect(await keys()).not.toContain('chat:presence');
  await system.start();
});
