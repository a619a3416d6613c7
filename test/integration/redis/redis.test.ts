import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Redis, type RedisEvent, RedisUnavailableError } from '../../../src/platform/redis/redis.ts';
import { startTestRedis } from '../../support/servers/redis.ts';
import type { TestServer } from '../../support/servers/testServer.ts';
import { waitFor } from '../../support/time/waitFor.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestRedis();
});
afterAll(() => server.stop());

async function connected(options: { silentMsMax?: number; unansweredMax?: number } = {}) {
  const events: RedisEvent['type'][] = [];
  const redis = new Redis({ url: server.url, onEvent: ({ type }) => events.push(type), ...options });
  await waitFor('Redis', () => redis.isUp);
  return { redis, events };
}

/** What a command came to, and how long it took. */
async function outcomeOf(redis: Redis, args: readonly string[]) {
  const startedAt = performance.now();
  const error = await redis.command(args).then(
    () => null,
    (reason: unknown) => reason,
  );
  return { error, ms: performance.now() - startedAt };
}

describe('the connection to Redis', () => {
  it('does not wait for it at the start, and refuses at once until it is there', async () => {
    const redis = new Redis({ url: server.url });
    await expect(redis.command(['PING'])).rejects.toThrow(RedisUnavailableError);
    await waitFor('Redis', () => redis.isUp);
    expect(await redis.command(['PING'])).toBe('PONG');
    redis.close();
    await expect(redis.command(['PING'])).rejects.toThrow('Redis is closed; PING was not sent.');
  });

  it('takes an error that Redis answers with for an answer', async () => {
    const { redis } = await connected();
    await redis.command(['SET', 'text', 'x']);
    for (let n = 0; n < 20; n++) {
      await expect(redis.command(['SADD', 'text', 'y'])).rejects.toThrow(/SADD: WRONGTYPE/);
    }
    expect(redis.isUp).toBe(true);
    redis.close();
  });

  it('tries for ever when nobody is there, and goes on when somebody is', async () => {
    const { redis, events } = await connected();
    await server.kill9();
    await waitFor('it to be noticed', () => !redis.isUp);
    const { error } = await outcomeOf(redis, ['PING']);
    expect(error).toBeInstanceOf(RedisUnavailableError);
    await server.restart();
    await waitFor('the next attempt', () => redis.isUp);
    expect(events).toEqual(['redisUp', 'redisDown', 'redisUp']);
    redis.close();
  });

  it('that freezes costs the first calls their time-out, and the next ones nothing', async () => {
    const { redis, events } = await connected({ silentMsMax: 60_000 });
    server.freeze();
    try {
      const first = await Promise.all(Array.from({ length: 64 }, () => outcomeOf(redis, ['PING'])));
      expect(first.every(({ error }) => error instanceof RedisUnavailableError)).toBe(true);
      expect(redis.isUp).toBe(false);
      const startedAt = performance.now();
      for (let n = 0; n < 1_000; n++) await outcomeOf(redis, ['PING']);
      // A time-out each would take far longer.
      expect((performance.now() - startedAt) / 1_000).toBeLessThan(10);
    } finally {
      server.thaw();
    }
    await waitFor('a PING to be answered', () => redis.isUp);
    expect(events).toEqual(['redisUp', 'redisDown', 'redisUp']);
    redis.close();
  });

  it('does not take its own process being busy for a Redis that does not answer', async () => {
    const [{ redis, events }, other] = await Promise.all([connected(), connected()]);
    const pushing = connect(Number(new URL(server.url).port), '127.0.0.1');
    await once(pushing, 'connect');
    // Each waits for something to be pushed: they are answered when this test says so.
    const asked = Promise.all(Array.from({ length: 6 }, () => redis.command(['BLPOP', 'list', '0'], 1_000)));
    const isWaiting = async () =>
      String(await other.redis.command(['INFO', 'clients'])).includes('blocked_clients:1');
    await waitFor('the commands to be with Redis', isWaiting, { everyMs: 1 });
    // Timers come next after an immediate, before any socket is looked at.
    await new Promise((resolve) => setImmediate(resolve));
    pushing.write('RPUSH list 7 7 7 7 7 7\r\n');
    expect(pushing.writableLength).toBe(0);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500);
    pushing.destroy();
    other.redis.close();
    expect(await asked).toEqual(Array(6).fill(['list', '7']));
    expect(events).toEqual(['redisUp']);
    redis.close();
  });

  it('makes another connection when one stays silent, also while it is made', async () => {
    const { redis } = await connected({ silentMsMax: 300 });
    const clients = async () => String(await redis.command(['CLIENT', 'ID']));
    const before = await clients();
    server.freeze();
    try {
      await Promise.all(Array.from({ length: 5 }, () => outcomeOf(redis, ['PING'])));
      await waitFor('it to be given up', async () => {
        const { error } = await outcomeOf(redis, ['PING']);
        return error instanceof Error && error.message.includes('Redis is down');
      });
    } finally {
      server.thaw();
    }
    await waitFor('another connection', () => redis.isUp);
    expect(await clients()).not.toBe(before);
    redis.close();
  });

  it('holds no more unanswered commands than it may', async () => {
    const { redis } = await connected({ unansweredMax: 10 });
    server.freeze();
    try {
      const outcomes = await Promise.all(Array.from({ length: 100 }, () => outcomeOf(redis, ['PING'])));
      expect(outcomes.filter(({ error }) => String(error).includes('queue is full'))).toHaveLength(90);
    } finally {
      server.thaw();
    }
    await waitFor('it to answer', async () => (await outcomeOf(redis, ['PING'])).error === null);
    redis.close();
  });
});
