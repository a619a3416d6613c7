import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MemoryEventLog } from '../../../src/eventlog/memory/memoryEventLog.ts';
import { migrate } from '../../../src/platform/postgres/migrations/migrate.ts';
import type { EpochRenewal } from '../../../src/ports/eventLog.ts';
import {
  EventTooLargeError,
  LogOverloadedError,
  LogUnavailableError,
  UnknownOutcomeError,
} from '../../../src/ports/eventLog.ts';
import { type Answer, startTestApi, type TestApi } from '../../support/http/httpApi.ts';
import {
  createMigratedDatabase,
  migrationsDirectory,
  projectAll,
} from '../../support/projections/historyDatabase.ts';
import { startTestPostgres } from '../../support/servers/postgres.ts';
import { waitFor } from '../../support/time/waitFor.ts';

const CONVERSATIONS = '/api/chat/conversations';
const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function start(...options: Parameters<typeof startTestApi>): Promise<TestApi> {
  const api = await startTestApi(...options);
  stops.push(api.stop);
  return api;
}

function expectRetryable(answer: Answer, status: number, code: string): void {
  expect([answer.status, answer.body.code, answer.body.retryable]).toEqual([status, code, true]);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  const seconds = Number(answer.headers.get('retry-after'));
  expect(seconds).toBe(Math.ceil(answer.body.retryAfterMs / 1_000));
  expect(seconds).toBeGreaterThan(0);
}

describe('trouble with the log', () => {
  let fault: Error | null;
  let api: TestApi;
  beforeEach(async () => {
    fault = null;
    api = await start({ log: (log) => failing(log, () => fault) });
  });

  it.each([
    [new LogUnavailableError('gone'), 503, 'log_unavailable'],
    [new LogOverloadedError('full'), 503, 'overloaded'],
    [new UnknownOutcomeError('late'), 504, 'unknown_outcome'],
  ])('%s: answered with when to try again', async (error, status, code) => {
    fault = error;
    expectRetryable(await api.call('POST', CONVERSATIONS, { userId: 'alice' }), status, code);
    expect(await api.eventsInLog()).toBe(0);
  });

  it('an event that the log does not take: 413', async () => {
    fault = new EventTooLargeError('The event has 2 bytes; the log takes 1.');
    const answer = await api.call('POST', CONVERSATIONS, { userId: 'alice' });
    expect([answer.status, answer.body.code]).toEqual([413, 'payload_too_large']);
  });

  it('a bug: 500 without a word of what is inside, which the log has under the same request id', async () => {
    fault = new TypeError('secret of the house');
    const answer = await api.call('POST', CONVERSATIONS, { userId: 'alice' });
    expect([answer.status, answer.body.code]).toEqual([500, 'internal']);
    expect(JSON.stringify(answer.body)).not.toContain('secret');
    const line = api.logged.find(({ requestId }) => requestId === answer.body.requestId);
    expect(line).toMatchObject({ level: 50, statusCode: 500, err: { message: 'secret of the house' } });
  });

  it('is what the checks of the stream and of readiness say, and nothing else', async () => {
    const well = await api.call('GET', '/health/stream');
    expect(well.status).toBe(200);
    expect(well.body).toMatchObject({
      status: 'OK',
      epoch: 'memory',
      firstSeq: 1,
      lastSeq: 0,
      fsync: 'test',
    });
    expect(well.body).toMatchObject({
      publishAckMs: 1.5,
      replicas: 1,
      bytes: 0,
      bytesMax: expect.any(Number),
    });
    fault = new LogUnavailableError('gone');
    const ill = await api.call('GET', '/health/stream');
    expect([ill.status, ill.body.status, ill.body.reason]).toEqual([503, 'ERROR', 'gone']);
    expect((await api.call('GET', '/health')).status).toBe(200);
  });
});

describe('health of the process', () => {
  it('/health says that it is alive and since when, whatever Postgres does', async () => {
    const { status, body } = await (await start()).call('GET', '/health');
    expect(status).toBe(200);
    expect(body).toEqual({ status: 'OK', uptime: expect.any(Number), timestamp: expect.any(String) });
    expect(Date.parse(body.timestamp)).toBeGreaterThan(0);
  });

  it('is ready when the log answers, until it drains', async () => {
    let draining = false;
    const api = await start({ health: { isDraining: () => draining } });
    expect((await api.call('GET', '/health/ready')).status).toBe(200);
    draining = true;
    const answer = await api.call('GET', '/health/ready');
    expect([answer.status, answer.body.status]).toEqual([503, 'DRAINING']);
    expect((await api.call('GET', '/health/live')).status).toBe(200);
  });

  it('is not ready when the log has never answered', async () => {
    const down = () => new LogUnavailableError('down');
    const api = await start({ log: (log) => failing(log, down) });
    expect((await api.call('GET', '/health/ready')).status).toBe(503);
  });
});

describe('health of the read models', () => {
  it('says how far each is behind the log, in events and seconds, and is ill past the limit', async () => {
    const database = await createMigratedDatabase();
    stops.push(() => database.drop());
    const api = await start({ databaseUrl: database.url, health: { lagSecondsMax: 0.05 } });
    const none = await api.call('GET', '/health/projections');
    expect([none.status, none.body.status, none.body.projections]).toEqual([503, 'ERROR', []]);
    await api.call('POST', CONVERSATIONS, { userId: 'alice' });
    await api.logHead.ask();
    await projectAll(api);
    const well = await api.call('GET', '/health/projections');
    expect([well.status, well.body.status]).toEqual([200, 'OK']);
    const names = well.body.projections.map(({ name }: { name: string }) => name);
    expect(names).toEqual(['activity', 'history', 'inbox', 'search']);
    const history = well.body.projections[1];
    expect(history).toMatchObject({ name: 'history', version: 1, state: 'live', checkpoint: 1, head: 1 });
    expect(history).toMatchObject({ lag: { events: 0, seconds: 0 }, parkedConversations: 0 });
    await api.database.pool.query('UPDATE projection_checkpoints SET seq = 0, stored_at = NULL');
    const behind = await waitFor('the lag to pass the limit', async () => {
      const answer = await api.call('GET', '/health/projections');
      return answer.status === 503 && answer;
    });
    expect(behind.body).toMatchObject({ status: 'LAGGING', head: 1 });
    expect(behind.body.projections[1]).toMatchObject({ state: 'lagging', checkpoint: 0, lag: { events: 1 } });
  });

  it('counts what this process appended since it last asked the log, and claims nothing while the log is silent', async () => {
    const database = await createMigratedDatabase();
    stops.push(() => database.drop());
    let fault: Error | null = null;
    const api = await start({ databaseUrl: database.url, log: (log) => failing(log, () => fault) });
    const created = await api.call('POST', CONVERSATIONS, { userId: 'alice' });
    await projectAll(api);
    await api.logHead.ask();
    const { id } = created.body.conversation;
    for (const content of ['one', 'two'])
      await api.call('POST', '/api/chat/messages', { conversationId: id, userId: 'alice', content });
    const history = async () =>
      (await api.call('GET', `${CONVERSATIONS}/${id}/messages?userId=alice`)).body.lag;
    const healthOf = async () => {
      const { body } = await api.call('GET', '/health/projections');
      const { head, lag } = body.projections.find(({ name }: { name: string }) => name === 'history');
      return { head, lag };
    };
    expect(await history()).toMatchObject({ events: 2 });
    expect(await healthOf()).toMatchObject({ head: 3, lag: { events: 2 } });
    fault = new LogUnavailableError('gone');
    await expect(api.logHead.ask()).rejects.toThrow('gone');
    expect(await history()).toEqual({ events: null, seconds: expect.any(Number) });
    expect(await healthOf()).toMatchObject({ head: 3, lag: { events: null } });
    // What was built from the log was in it.
    await api.database.pool.query('UPDATE projection_checkpoints SET seq = 9');
    expect(await healthOf()).toMatchObject({ head: 9, lag: { events: null } });
  });

  it('does not take a read model of another incarnation of the log for a healthy one', async () => {
    const database = await createMigratedDatabase();
    stops.push(() => database.drop());
    const api = await start({ databaseUrl: database.url });
    await projectAll(api);
    await api.database.pool.query("UPDATE projection_versions SET epoch = 'before'");
    const answer = await api.call('GET', '/health/projections');
    expect([answer.status, answer.body.projections[0].state]).toEqual([503, 'other-log']);
  });
});

describe('without a database', () => {
  it('sending goes on, history comes from the log, the rest answers 503 quickly, and the checks say so', async () => {
    const api = await start();
    const created = await api.call('POST', CONVERSATIONS, { userId: 'alice' });
    const { id } = created.body.conversation;
    const body = { conversationId: id, userId: 'alice', content: 'hello' };
    expect((await api.call('POST', '/api/chat/messages', body)).status).toBe(201);
    expect((await api.call('GET', `${CONVERSATIONS}/${id}?userId=alice`)).status).toBe(200);
    const history = await api.call('GET', `${CONVERSATIONS}/${id}/messages?userId=alice`);
    expect(history.body).toMatchObject({ source: 'log', hasMore: false, lag: { events: 0, seconds: 0 } });
    expect(history.body.messages).toMatchObject([{ content: 'hello', userId: 'alice' }]);
    const list = await api.call('GET', `${CONVERSATIONS}?userId=alice`);
    expectRetryable(list, 503, 'database_unavailable');
    const line = api.logged.find(({ requestId }) => requestId === list.body.requestId);
    expect(line).toMatchObject({ level: 40, statusCode: 503, reason: 'DatabaseNotReachable', method: 'GET' });
    expect(JSON.stringify(api.logged)).not.toMatch(/alice|hello/);
    expectRetryable(
      await api.call('GET', '/api/chat/search?userId=alice&q=hello'),
      503,
      'database_unavailable',
    );
    const health = await api.call('GET', '/health/database');
    expect(health.status).toBe(503);
    expect(health.body).toMatchObject({
      status: 'ERROR',
      database: 'Disconnected',
      timestamp: expect.any(String),
    });
    const projections = await api.call('GET', '/health/projections');
    expect([projections.status, projections.body.status]).toEqual([503, 'ERROR']);
    expect((await api.call('GET', '/health')).status).toBe(200);
    expect((await api.call('GET', '/health/ready')).status).toBe(200);
  });

  it('says when one has no tables yet, as a database that is not available', async () => {
    const database = await createMigratedDatabase();
    stops.push(() => database.drop());
    const api = await start({ databaseUrl: database.url });
    const answer = await api.call('GET', `${CONVERSATIONS}?userId=alice`);
    expectRetryable(answer, 503, 'database_unavailable');
  });

  it('refuses at once while one that hung is given time, and reads again by itself when it is back', async () => {
    const postgres = await startTestPostgres();
    stops.push(() => postgres.stop());
    await migrate({ url: postgres.url, directory: migrationsDirectory });
    const api = await start({ databaseUrl: `${postgres.url}?connection_limit=4&pool_timeout=4` });
    await projectAll(api);
    const list = () => api.call('GET', `${CONVERSATIONS}?userId=alice`);
    expect((await list()).status).toBe(200);
    postgres.freeze();
    const hung = await Promise.all(Array.from({ length: 10 }, list));
    expect(hung.map(({ status }) => status)).toEqual(Array(10).fill(503));
    expect((await api.call('GET', '/health/database')).body.breaker).toMatch(/^(open|halfOpen)$/);
    // One of many may be the probe of the half-open breaker, which waits for the database.
    const startedMs = performance.now();
    const refused = await Promise.any(Array.from({ length: 5 }, list));
    // Who asked the database would wait four seconds for a connection.
    expect(performance.now() - startedMs).toBeLessThan(3_500);
    expectRetryable(refused, 503, 'database_unavailable');
    postgres.thaw();
    await waitFor('reads to work again', async () => (await list()).status === 200);
    expect((await api.call('GET', '/health/database')).body).toMatchObject({ breaker: 'closed' });
  });

  it('survives one that freezes, closes connections and is killed, and recovers by itself', async () => {
    const postgres = await startTestPostgres();
    stops.push(() => postgres.stop());
    const api = await start({ databaseUrl: `${postgres.url}?connection_limit=4&pool_timeout=1` });
    const database = () => api.call('GET', '/health/database');
    const well = await database();
    expect(well.body).toMatchObject({ status: 'OK', database: 'Connected', latencyMs: expect.any(Number) });
    postgres.freeze();
    const answers = await Promise.all(Array.from({ length: 10 }, database));
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(503));
    postgres.thaw();
    expect((await database()).status).toBe(200);
    await postgres.kill9();
    expect((await database()).status).toBe(503);
    await postgres.restart();
    expect((await database()).status).toBe(200);
  });
});

/** The log, but for a fault that every call meets. */
function failing(log: MemoryEventLog, fault: () => Error | null) {
  const unless = <T>(work: () => Promise<T>): Promise<T> => {
    const error = fault();
    return error === null ? work() : Promise.reject(error);
  };
  return {
    epoch: log.epoch,
    get knownSeq() {
      return log.knownSeq;
    },
    append: (request: Parameters<MemoryEventLog['append']>[0]) => unless(() => log.append(request)),
    latest: (...which: Parameters<MemoryEventLog['latest']>) => unless(() => log.latest(...which)),
    at: (seq: number) => unless(() => log.at(seq)),
    erase: (seq: number) => unless(() => log.erase(seq)),
    renewEpoch: (renewal: EpochRenewal) => unless(() => log.renewEpoch(renewal)),
    status: () => unless(() => log.status()),
  };
}
