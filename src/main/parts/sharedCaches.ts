import type { LifecycleLog } from '../../observability/lifecycle.ts';
import { Redis } from '../../platform/redis/redis.ts';
import { RedisConversations } from '../../platform/redis/redisConversations.ts';
import { RedisPresence } from '../../platform/redis/redisPresence.ts';
import { systemClock } from '../../platform/time/clock.ts';
import { systemTimers } from '../../platform/time/timers.ts';
import type { StopSequence } from '../stopSequence.ts';

/** What processes share in memory. */
export interface SharedCaches {
  readonly conversations: RedisConversations;
  readonly presence: RedisPresence;
}

/** Uses Redis when a URL says where it is; nothing waits for it, and all goes on without it. */
export function startSharedCaches(
  url: string | undefined,
  edgeId: string,
  lifecycle: LifecycleLog,
  stops: StopSequence,
): SharedCaches | null {
  if (url === undefined) return null;
  const redis = new Redis({ url, onEvent: lifecycle.redis });
  stops.add(() => redis.close());
  const conversations = new RedisConversations(redis);
  const presence = new RedisPresence({ redis, timers: systemTimers, edgeId });
  stops.add(() => presence.stop());
  lifecycle.watch.redis(() => redis.isUp);
  lifecycle.watch.cache('conversations_shared', conversations);
  lifecycle.watch.cache('presence_shared', presence);
  return { conversations, presence };
}

/** The shared conversations as the store wants them. */
export function sharedConversations(caches: SharedCaches | null) {
  return caches === null ? undefined : { conversations: caches.conversations, clock: systemClock };
}
