/**
 * Who is online, as processes tell each other through a place that remembers it. It may be away or have forgotten: then
 * nobody is found. No call ever fails.
 *
 * In production: `src/platform/redis/redisPresence.ts`.
 * Held by `test/integration/redis/presence.test.ts`.
 */
export interface SharedPresence {
  /** The first socket of this user was opened here. */
  came(userId: string): void;

  /** The last one was closed. */
  left(userId: string): void;

  /** Those of the users who are online at other processes. Answers within some tens of milliseconds. */
  online(userIds: readonly string[]): Promise<ReadonlySet<string>>;
}
