import { Redis } from '../../platform/redis/redis.ts';
import { RedisConversations } from '../../platform/redis/redisConversations.ts';
import { RedisPresence } from '../../platform/redis/redisPresence.ts';
import { systemClock } from '../../platform/time/clock.ts';
import { systemTimers } from '../../platform/time/timers.ts';
import type { Base } from '../base.ts';

/** What processes share in memory. */
export interface SharedCaches {
  readonly conversations: RedisConversations;
  readonly presence: RedisPresence;
}

/** Uses Redis when `REDIS_URL` is set; nothing waits for it, and all goes on without it. */
export function openSharedCaches({ config, lifecycle, stops }: Base, edgeId: string): SharedCaches | null {
  if (config.redisUrl === undefined) return null;
  const redis = new Redis({ url: config.redisUrl, onEvent: lifecycle.redis });
  stops.add(() => redis.close());
  const conversations = new RedisConversations(redis);
  const presence = new RedisPresence({ redis, timers: systemTimers, edgeId });
  stops.add(() => presence.stop());
  lifecycle.watch.redis(() => redis.isUp);
  lifecycle.watch.cache('conversations_shared', conversations);
  lifecycle.watch.cache('presence_shared', presence);
  return { conversations, presence };
}

/** The shared conversations as the application wants them. */
export function sharedConversations(caches: SharedCaches | null) {
  return caches === null ? {} : { shared: { conversations: caches.conversations, clock: systemClock } };
}
