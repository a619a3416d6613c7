import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { Presence } from '../../../src/application/presence/presence.ts';
import { newEdgeId } from '../../../src/platform/ids.ts';
import { Redis } from '../../../src/platform/redis/redis.ts';
import { RedisPresence } from '../../../src/platform/redis/redisPresence.ts';
import { MemorySignalBus } from '../../../src/platform/signals/memorySignals.ts';
import { systemClock } from '../../../src/platform/time/clock.ts';
import { systemTimers } from '../../../src/platform/time/timers.ts';
import { startTestApi } from '../../support/http/httpApi.ts';
import { PatientRedis, startTestRedis } from '../../support/servers/redis.ts';
import type { TestServer } from '../../support/servers/testServer.ts';
import { waitFor } from '../../support/time/waitFor.ts';

let server: TestServer;
let admin: Redis;
const started: { presence: Presence; shared: RedisPresence; redis: Redis }[] = [];
beforeAll(async () => {
  server = await startTestRedis();
});
afterAll(() => server.stop());
beforeEach(async () => {
  admin = new PatientRedis({ url: server.url });
  await waitFor('Redis', () => admin.isUp);
  await admin.command(['FLUSHALL']);
});
afterEach(async () => {
  await Promise.all(started.splice(0).map(stop));
  admin.close();
});

/** Short, but long enough that a busy machine does not miss three signs of life in a row. */
const GONE_MS = 3_000;

/** A process that no announcement reaches: it knows of others what Redis tells. */
async function startProcess(goneMs?: number, redis: Redis = new PatientRedis({ url: server.url })) {
  await waitFor('Redis', () => redis.isUp);
  const edgeId = newEdgeId();
  const shared = new RedisPresence({ redis, timers: systemTimers, edgeId, ...(goneMs && { goneMs }) });
  const signals = new MemorySignalBus().connect();
  const presence = new Presence({ signals, clock: systemClock, timers: systemTimers, edgeId, shared });
  const process = { redis, shared, presence };
  started.push(process);
  return process;
}

async function stop({ presence, shared, redis }: (typeof started)[number]): Promise<void> {
  presence.stop();
  await shared.stop();
  redis.close();
}

async function onlineAt(process: { presence: Presence }, ...users: string[]): Promise<string> {
  return [...(await process.presence.online(users))].sort().join();
}

it('a process knows who is online at others that it has never heard', async () => {
  const [one, two] = [await startProcess(), await startProcess()];
  one.presence.connected('alice');
  one.presence.connected('alice');
  two.presence.connected('Зоя, "x"');
  await waitFor('both to know', async () => {
    return (await onlineAt(two, 'alice', 'bob')) === 'alice' && (await onlineAt(one, 'Зоя, "x"')) !== '';
  });
  const late = await startProcess();
  expect(await onlineAt(late, 'alice', 'bob', 'Зоя, "x"')).toBe('alice,Зоя, "x"');
  expect(late.shared.lookups).toEqual({ hit: 2, miss: 1, error: 0 });
  one.presence.disconnected('alice');
  expect(await onlineAt(one, 'alice')).toBe('alice');
  one.presence.disconnected('alice');
  await waitFor('alice to be gone', async () => (await onlineAt(late, 'alice')) === '');
});

it('of its own users a process believes itself, whatever Redis says', async () => {
  const one = await startProcess();
  one.presence.connected('alice');
  const other = await startProcess();
  await waitFor('it to be written', async () => (await onlineAt(other, 'alice')) === 'alice');
  one.presence.disconnected('alice');
  expect(await onlineAt(one, 'alice')).toBe('');
});

it('a user of two processes is online until both have let go', async () => {
  const [one, two, other] = [await startProcess(), await startProcess(), await startProcess()];
  one.presence.connected('alice');
  two.presence.connected('alice');
  await waitFor('both to be there', async () => (await admin.command(['SCARD', 'chat:presence'])) === 2);
  await stop(one);
  expect(await onlineAt(other, 'alice')).toBe('alice');
  await stop(two);
  expect(await onlineAt(other, 'alice')).toBe('');
});

it('a process that stops is gone at once, and leaves nothing', async () => {
  const [one, other] = [await startProcess(), await startProcess()];
  one.presence.connected('alice');
  await waitFor('it to be written', async () => (await onlineAt(other, 'alice')) === 'alice');
  await stop(one);
  expect(await onlineAt(other, 'alice')).toBe('');
  expect(await admin.command(['DBSIZE'])).toBe(0);
});

it('a process that dies is gone after a while, one that lives stays', async () => {
  const [dying, living, other] = [
    await startProcess(GONE_MS),
    await startProcess(GONE_MS),
    await startProcess(GONE_MS),
  ];
  dying.presence.connected('alice');
  living.presence.connected('bob');
  await waitFor('both to be there', async () => (await onlineAt(other, 'alice', 'bob')) === 'alice,bob');
  const keys = await admin.command(['KEYS', '*']);
  for (const key of Array.isArray(keys) ? keys.map(String) : []) {
    expect(Number(await admin.command(['PTTL', key]))).toBeGreaterThan(0);
  }
  dying.redis.close();
  await waitFor('alice to be gone', async () => (await onlineAt(other, 'alice', 'bob')) === 'bob');
  // Through some more of its signs of life; they also take the dead one off the list.
  await waitFor('the list', async () => (await admin.command(['SCARD', 'chat:presence'])) === 1);
  expect(await onlineAt(other, 'alice', 'bob')).toBe('bob');
});

it('a process that dies between two commands leaves nothing that stays for ever', async () => {
  let commands = 0;
  const redis = {
    isUp: true,
    command: (args: readonly string[]) => {
      commands += 1;
      return commands === 1 ? admin.command(args) : Promise.reject(new Error('It died'));
    },
  };
  const shared = new RedisPresence({ redis, timers: systemTimers, edgeId: newEdgeId() });
  shared.came('alice');
  await waitFor('the first command, and the second', () => commands > 1);
  await shared.stop();
  const [key] = (await admin.command(['KEYS', '*'])) as string[];
  expect(Number(await admin.command(['PTTL', key ?? '']))).toBeGreaterThan(0);
});

it('all is told again when Redis was emptied, and when it comes back with nothing', async () => {
  const [one, other] = [await startProcess(GONE_MS), await startProcess(GONE_MS)];
  const users = Array.from({ length: 1_200 }, (_, n) => `user-${n}`);
  for (const user of users) one.presence.connected(user);
  const all = async () => (await other.presence.online(users)).size === users.length;
  await waitFor('all', all);
  await admin.command(['FLUSHALL']);
  await waitFor('all again', all);
  await server.kill9();
  await waitFor('it to be noticed', () => !one.redis.isUp && !other.redis.isUp);
  one.presence.disconnected('user-0');
  one.presence.connected('late');
  expect(await onlineAt(other, 'user-1')).toBe('');
  expect(await onlineAt(one, 'user-1', 'late')).toBe('late,user-1');
  await server.restart();
  await waitFor('all but who left', async () => {
    const online = await other.presence.online([...users, 'late']);
    return online.size === users.length && online.has('late') && !online.has('user-0');
  });
});

it('a Redis that is frozen holds no answer up for long', async () => {
  const impatient = new Redis({ url: server.url });
  const [one, other] = [await startProcess(), await startProcess(undefined, impatient)];
  one.presence.connected('alice');
  await waitFor('it to be written', async () => (await onlineAt(other, 'alice')) === 'alice');
  const api = await startTestApi({ online: (userIds) => other.presence.online(userIds) });
  const ask = async () => {
    const startedAt = performance.now();
    const { status, body } = await api.call('GET', '/api/chat/presence?userIds=alice,bob');
    expect(status).toBe(200);
    return { alice: body.presence.alice, ms: performance.now() - startedAt };
  };
  await waitFor('her to be seen', async () => (await ask()).alice === 'online');
  server.freeze();
  try {
    const first = await ask();
    expect(first.alice).toBe('offline');
    await waitFor('it to be left alone', async () => {
      await ask();
      return !other.redis.isUp;
    });
    // Not each of them waits for its time-out.
    const startedAt = performance.now();
    for (let n = 0; n < 100; n++) await ask();
    expect((performance.now() - startedAt) / 100).toBeLessThan(90);
  } finally {
    server.thaw();
    await api.stop();
  }
});
