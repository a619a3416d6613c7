import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createConversation } from '../../src/application/commands/createConversation.ts';
import { Presence } from '../../src/application/presence/presence.ts';
import { decodeEvent } from '../../src/contracts/events/events.ts';
import { newEdgeId } from '../../src/platform/ids.ts';
import { Redis } from '../../src/platform/redis/redis.ts';
import { RedisConversations } from '../../src/platform/redis/redisConversations.ts';
import { RedisPresence } from '../../src/platform/redis/redisPresence.ts';
import { MemorySignalBus } from '../../src/platform/signals/memorySignals.ts';
import { systemClock } from '../../src/platform/time/clock.ts';
import { systemTimers } from '../../src/platform/time/timers.ts';
import { benchApplication } from '../support/application.ts';
import { median } from '../support/conversations.ts';
import { openBenchLog } from '../support/log.ts';
import { startRedis } from '../support/redis.ts';
import { startBenchServers } from '../support/servers.ts';

/**
 * What a look-up costs: a conversation from this process' memory, from the log (one direct read, decoded and checked) and
 * from Redis (one HMGET, decoded and checked), one after the other and 64 at a time; and who of 200 users is online,
 * from memory and from Redis. In turns, real servers, everything on the same cores.
 */
const CONVERSATIONS = 200;
const LOOKUPS = Number(process.env.BENCH_LOOKUPS ?? 5_000);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const EDGES = 10;
const USERS_PER_EDGE = 2_000;
const ASKED = 200;

const servers = await startBenchServers({ postgres: false });
const redisDir = join(servers.dataDir, 'redis');
mkdirSync(redisDir);
const redisServer = await startRedis(redisDir);
const redis = new Redis({ url: redisServer.url });
const { log, connection } = await openBenchLog(servers.natsUrl);
await until(async () => redis.isUp);

for (const participants of [10, 500]) await compareConversations(participants);
await comparePresence();

redis.close();
await log.close(1_000);
await connection.close();
await redisServer.stop();
await servers.stop();

async function compareConversations(participants: number): Promise<void> {
  const context = benchApplication(log);
  const { conversations } = context;
  const participantIds = Array.from({ length: participants }, (_, n) => `participant-number-${n}`);
  const wanted = { userId: 'bench', title: 'About caches', visibility: 'members', participantIds } as const;
  const shared = new RedisConversations(redis);
  const ids: string[] = [];
  for (let n = 0; n < CONVERSATIONS; n++) {
    const { conversationId, state, seq } = await createConversation(context, wanted);
    ids.push(conversationId);
    await until(async () => {
      shared.put(log.epoch, conversationId, { state, version: seq, asOfSeq: seq }, Date.now() + 600_000);
      return (await shared.get(log.epoch, conversationId)) !== null;
    });
  }
  const { error } = shared.lookups;
  const id = (n: number) => ids[n % ids.length] ?? '';
  const fromLog = async (n: number) => {
    const stored = await log.latest(id(n), 'conversation');
    if (stored === null) throw new Error('It was created');
    decodeEvent(stored.bytes, stored.seq);
  };
  // What takes too long is given up, as in production, and counted.
  const fromRedis = async (n: number) => void (await shared.get(log.epoch, id(n)));
  const memoryMs = await rounds(async () => {
    const startedAt = performance.now();
    for (let n = 0; n < 100 * LOOKUPS; n++) if (conversations.cached(id(n)) === undefined) throw new Error();
    return (performance.now() - startedAt) / (100 * LOOKUPS);
  });
  console.log(`${participants} participants, per look-up: memory ${(memoryMs * 1e6).toFixed(0)} ns`);
  for (const atATime of [1, 64]) {
    const sums = { log: [] as Cost[], redis: [] as Cost[] };
    for (let round = 0; round < ROUNDS; round++) {
      sums.log.push(await cost(fromLog, atATime));
      sums.redis.push(await cost(fromRedis, atATime));
    }
    const gaveUp = `${shared.lookups.error - error} given up`;
    console.log(`  ${atATime} at a time: log ${text(sums.log)}, Redis ${text(sums.redis)}, ${gaveUp}`);
  }
}

async function comparePresence(): Promise<void> {
  const signals = new MemorySignalBus().connect();
  const online = (edge: number, n: number) => `user-${edge}-${n}`;
  const edges = Array.from({ length: EDGES }, (_, edge) => {
    const shared = new RedisPresence({ redis, timers: systemTimers, edgeId: newEdgeId() });
    for (let n = 0; n < USERS_PER_EDGE; n++) shared.came(online(edge, n));
    return shared;
  });
  const asking = new RedisPresence({ redis, timers: systemTimers, edgeId: newEdgeId() });
  const edgeId = newEdgeId();
  const presence = new Presence({ signals, clock: systemClock, timers: systemTimers, edgeId });
  for (let edge = 0; edge < EDGES; edge++) {
    for (let n = 0; n < USERS_PER_EDGE; n++) presence.connected(online(edge, n));
  }
  // Half of them are offline.
  const asked = Array.from({ length: ASKED }, (_, n) => online(n % EDGES, n % 2 === 0 ? n : 1_000_000 + n));
  await until(async () => (await asking.online(asked)).size === ASKED / 2);
  const memoryMs = await rounds(async () => {
    const startedAt = performance.now();
    for (let n = 0; n < LOOKUPS; n++) await presence.online(asked);
    return (performance.now() - startedAt) / LOOKUPS;
  });
  const costs: Cost[] = [];
  const askRedis = async () => void (await asking.online(asked));
  for (let round = 0; round < ROUNDS; round++) costs.push(await cost(askRedis, 1, LOOKUPS / 10));
  console.log(
    `who of ${ASKED} users is online, ${EDGES} edges with ${USERS_PER_EDGE} each: ` +
      `memory ${(memoryMs * 1e3).toFixed(1)} µs, Redis ${text(costs)}`,
  );
  presence.stop();
  await Promise.all(edges.map((edge) => edge.stop()));
}

interface Cost {
  /** Milliseconds per look-up as the caller sees it. */
  readonly waitedMs: number;
  /** Look-ups per second. */
  readonly perSecond: number;
  /** Processor time of this process per look-up, in milliseconds. */
  readonly cpuMs: number;
}

async function cost(lookUp: (n: number) => Promise<void>, atATime: number, lookups = LOOKUPS): Promise<Cost> {
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  let next = 0;
  let waitedMs = 0;
  const workers = Array.from({ length: atATime }, async () => {
    while (next < lookups) {
      next += 1;
      const askedAt = performance.now();
      await lookUp(next);
      waitedMs += performance.now() - askedAt;
    }
  });
  await Promise.all(workers);
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (performance.now() - startedAt) / 1_000;
  return {
    waitedMs: waitedMs / lookups,
    perSecond: lookups / seconds,
    cpuMs: (user + system) / 1e3 / lookups,
  };
}

function text(costs: readonly Cost[]): string {
  const of = (pick: (cost: Cost) => number) => median(costs.map(pick));
  return (
    `${(of((one) => one.waitedMs) * 1e3).toFixed(0)} µs (${(of((one) => one.perSecond) / 1e3).toFixed(1)} k/s, ` +
    `${(of((one) => one.cpuMs) * 1e3).toFixed(0)} µs of own processor time)`
  );
}

async function rounds(measure: () => Promise<number>): Promise<number> {
  const all: number[] = [];
  for (let round = 0; round < ROUNDS; round++) all.push(await measure());
  return median(all);
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('It was to be so within 20 s');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
