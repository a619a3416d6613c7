import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ConversationStore } from '../../../src/application/conversations/conversationStore.ts';
import { viewConversation } from '../../../src/application/reading/viewConversation.ts';
import { MemoryEventLog } from '../../../src/eventlog/memory/memoryEventLog.ts';
import { Redis } from '../../../src/platform/redis/redis.ts';
import { RedisConversations } from '../../../src/platform/redis/redisConversations.ts';
import { systemClock } from '../../../src/platform/time/clock.ts';
import { conversationOf, processOn, withLog } from '../../support/application/application.ts';
import { C1 } from '../../support/domain/conversations.ts';
import { PatientRedis, startTestRedis } from '../../support/servers/redis.ts';
import type { TestServer } from '../../support/servers/testServer.ts';
import { waitFor } from '../../support/time/waitFor.ts';

const EPOCH = 'epoch-one';
const KEY = `chat:conversation:${EPOCH}:${C1}`;
const STATE = {
  title: 'Tea',
  visibility: 'members',
  participantIds: ['alice', 'bob'],
  createdBy: 'alice',
  createdAt: '2026-01-01T00:00:00.000Z',
  archived: false,
} as const;

let server: TestServer;
let redis: Redis;
beforeAll(async () => {
  server = await startTestRedis();
});
afterAll(() => server.stop());
beforeEach(async () => {
  redis = new PatientRedis({ url: server.url });
  await waitFor('Redis', () => redis.isUp);
  await redis.command(['FLUSHALL']);
});
afterEach(() => redis.close());

describe('what somebody else left in Redis', () => {
  const json = JSON.stringify(STATE);
  const hash = (version: string, asOfSeq: string, state: string) => [
    ['HSET', KEY, 'version', version, 'asOfSeq', asOfSeq, 'state', state],
  ];
  it.each([
    ['is no hash', [['SET', KEY, json]]],
    ['has no version', [['HSET', KEY, 'state', json]]],
    ['has a version that is no number', hash('x', '3', json)],
    ['has the version 0', hash('0', '3', json)],
    ['has a version beyond all numbers', hash('9999999999999999', '9999999999999999', json)],
    ['is older than itself', hash('3', '2', json)],
    ['is no JSON', hash('3', '3', '{"title":')],
    ['is no state', hash('3', '3', '{"title":"Tea"}')],
    ['names participants that are none', hash('3', '3', json.replace('"bob"', '7'))],
    ['is too large', hash('3', '3', JSON.stringify({ ...STATE, more: 'x'.repeat(70_000) }))],
  ])('and %s is passed over, counted, and makes room', async (_what, commands) => {
    for (const command of commands) await redis.command(command);
    const conversations = new RedisConversations(redis);
    expect(await conversations.get(EPOCH, C1)).toBeNull();
    expect(conversations.lookups).toEqual({ hit: 0, miss: 0, error: 1 });
    conversations.put(EPOCH, C1, { state: STATE, version: 2, asOfSeq: 2 }, Date.now() + 60_000);
    await waitFor('what was put', async () => (await conversations.get(EPOCH, C1))?.version === 2);
    expect(conversations.lookups.hit).toBe(1);
  });

  it('lets what is valid pass: the hash is what a process would leave', async () => {
    for (const command of hash('3', '4', json)) await redis.command(command);
    const found = await new RedisConversations(redis).get(EPOCH, C1);
    expect(found).toEqual({ state: STATE, version: 3, asOfSeq: 4 });
  });
});

describe('what a process leaves in Redis', () => {
  it('always goes by itself', async () => {
    const conversations = new RedisConversations(redis);
    for (const version of [2, 3, 3]) {
      const found = { state: STATE, version, asOfSeq: version };
      conversations.put(EPOCH, C1, found, Date.now() + 60_000);
    }
    await waitFor('what was put', async () => (await conversations.get(EPOCH, C1))?.version === 3);
    const leftMs = Number(await redis.command(['PTTL', KEY]));
    expect(leftMs).toBeGreaterThan(50_000);
    expect(leftMs).toBeLessThanOrEqual(60_000);
  });

  it('is bounded in size and in number on the way', async () => {
    const conversations = new RedisConversations(redis);
    const participantIds = Array.from({ length: 2_000 }, (_, n) => `${n}-${'x'.repeat(100)}`);
    const large = { state: { ...STATE, participantIds }, version: 9, asOfSeq: 9 };
    conversations.put(EPOCH, C1, large, Date.now() + 60_000);
    for (let n = 0; n < 200; n++) {
      const found = { state: STATE, version: 1, asOfSeq: 1 };
      conversations.put(EPOCH, `c_${String(n).padStart(21, '0')}`, found, Date.now() + 60_000);
    }
    await waitFor('what was put', async () => Number(await redis.command(['DBSIZE'])) >= 64);
    expect(await redis.command(['DBSIZE'])).toBe(64);
    expect(await conversations.get(EPOCH, C1)).toBeNull();
  });
});

const patient = () => new PatientRedis({ url: server.url });

/** Processes on one log, each with its own way to Redis, and how often each has read the log. */
function startProcess(memory: MemoryEventLog, connection: Redis, cachedMax?: number) {
  const reads = { count: 0 };
  const log = withLog(memory, {
    latest: (id, category) => {
      reads.count += 1;
      return memory.latest(id, category);
    },
  });
  const cache = new RedisConversations(connection);
  const shared = { conversations: cache, clock: systemClock };
  const conversations = new ConversationStore(log, { shared, ...(cachedMax && { cachedMax }) });
  const context = { ...processOn(memory, () => log), conversations };
  return { context, cache, reads, connection };
}

describe('processes that share Redis', () => {
  it('read a conversation from the log once', async () => {
    const memory = new MemoryEventLog();
    const conversationId = await conversationOf(processOn(memory));
    const [one, other] = [startProcess(memory, patient()), startProcess(memory, patient())];
    await waitFor('Redis', () => one.connection.isUp && other.connection.isUp);
    const seen = await viewConversation(one.context, conversationId, 'bob');
    await waitFor('it to be in Redis', async () => (await redis.command(['DBSIZE'])) === 1);
    expect(await viewConversation(other.context, conversationId, 'bob')).toEqual(seen);
    expect([one.reads.count, other.reads.count]).toEqual([1, 0]);
    expect(other.cache.lookups).toEqual({ hit: 1, miss: 0, error: 0 });
    for (const { connection } of [one, other]) connection.close();
  });

  it('answer the same and in time while Redis is emptied, freezes, dies and comes back', async () => {
    const memory = new MemoryEventLog();
    const ids: string[] = [];
    for (let n = 0; n < 50; n++) ids.push(await conversationOf(processOn(memory)));
    // So few stay in memory that nearly every look-up goes past it.
    const process = startProcess(memory, new Redis({ url: server.url }), 5);
    await waitFor('Redis', () => process.connection.isUp);
    const latenciesMs: number[] = [];
    let answers = 0;
    let running = true;
    const asking = Array.from({ length: 8 }, async (_, worker) => {
      for (let n = worker; running; n += 7) {
        const id = ids[n % ids.length] ?? '';
        const startedAt = performance.now();
        const view = await viewConversation(process.context, id, 'bob');
        latenciesMs.push(performance.now() - startedAt);
        expect(view.id).toBe(id);
        answers += 1;
        // Timers and sockets have their turn, too.
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    const more = async (count: number) => {
      const wanted = answers + count;
      await waitFor('answers', () => answers >= wanted);
    };
    await more(500);
    await redis.command(['FLUSHALL']);
    await more(500);
    server.freeze();
    await more(2_000);
    expect(process.connection.isUp).toBe(false);
    server.thaw();
    await waitFor('Redis', () => process.connection.isUp);
    await more(500);
    await server.kill9();
    await more(1_000);
    await server.restart();
    await waitFor('Redis', () => process.connection.isUp);
    const { hit } = process.cache.lookups;
    await waitFor('it to be used again', () => process.cache.lookups.hit > hit);
    running = false;
    await Promise.all(asking);
    latenciesMs.sort((a, b) => a - b);
    // Most look-ups did not wait: not for their time-out (100 ms), and not for Redis.
    expect(latenciesMs[Math.floor(latenciesMs.length * 0.5)]).toBeLessThan(100);
    process.connection.close();
  });
});
