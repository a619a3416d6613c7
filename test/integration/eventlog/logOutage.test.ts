import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LogFullError, LogUnavailableError } from '../../../src/ports/eventLog.ts';
import { withLog } from '../../support/application/application.ts';
import { ChatClient } from '../../support/edge/chatClient.ts';
import { type RealEdge, startRealEdge } from '../../support/edge/realEdge.ts';
import { type OpenedLog, openTestLog, storedKeys } from '../../support/eventlog/jetStreamLog.ts';
import { startTestApi, type TestApi } from '../../support/http/httpApi.ts';
import { createMigratedDatabase, projectAll } from '../../support/projections/historyDatabase.ts';
import { startTestNats } from '../../support/servers/nats.ts';
import type { TestDatabase } from '../../support/servers/postgres.ts';
import type { TestServer } from '../../support/servers/testServer.ts';
import { waitFor } from '../../support/time/waitFor.ts';

const CONVERSATIONS = '/api/chat/conversations';

describe('while the log is away, reads', () => {
  let database: TestDatabase;
  let writer: TestApi;
  /** A process that has nothing in its cache. */
  let reader: TestApi;
  let fault: Error | null;
  let id: string;
  beforeEach(async () => {
    database = await createMigratedDatabase();
    fault = null;
    writer = await startTestApi({ databaseUrl: database.url });
    const guard = <T>(work: () => Promise<T>) => (fault === null ? work() : Promise.reject(fault));
    reader = await startTestApi({
      databaseUrl: database.url,
      log: () =>
        withLog(writer.log, {
          append: (request) => guard(() => writer.log.append(request)),
          latest: (...which) => guard(() => writer.log.latest(...which)),
          status: () => guard(() => writer.log.status()),
        }),
    });
    const closed = { userId: 'alice', participantIds: ['bob'], title: 'Tea' };
    id = (await writer.call('POST', CONVERSATIONS, closed)).body.conversation.id;
    await writer.call('POST', '/api/chat/messages', {
      conversationId: id,
      userId: 'alice',
      content: 'hello',
    });
    await reader.logHead.ask();
  });
  afterEach(async () => {
    await Promise.all([reader.stop(), writer.stop()]);
    await database.drop();
  });

  it('go on from the database, for those who may read', async () => {
    await projectAll(writer);
    const before = await reader.call('GET', `${CONVERSATIONS}/${id}?userId=bob`);
    await reader.stop();
    reader = await startTestApi({
      databaseUrl: database.url,
      log: (memory) => withLog(memory, { latest: () => Promise.reject(new LogUnavailableError('away')) }),
    });
    const one = await reader.call('GET', `${CONVERSATIONS}/${id}?userId=bob`);
    expect([one.status, one.body]).toEqual([200, before.body]);
    const history = await reader.call('GET', `${CONVERSATIONS}/${id}/messages?userId=bob`);
    expect(history.body).toMatchObject({ messages: [{ content: 'hello' }], source: 'database' });
    const found = await reader.call('GET', `/api/chat/search?userId=bob&q=hello&conversationId=${id}`);
    expect(found.body.messages).toHaveLength(1);
    expect((await reader.call('GET', `${CONVERSATIONS}?userId=bob`)).body.conversations).toHaveLength(1);
  });

  it('never call a conversation missing: what the database does not allow is log_unavailable, with nothing to tell apart', async () => {
    await projectAll(writer);
    fault = new LogUnavailableError('away');
    const answers = await Promise.all([
      reader.call('GET', `${CONVERSATIONS}/${id}?userId=eve`),
      reader.call('GET', `${CONVERSATIONS}/${id}`),
      reader.call('GET', `${CONVERSATIONS}/c_000000000000000000000?userId=eve`),
    ]);
    expect(answers.map(({ status, body }) => [status, body.code, body.detail])).toEqual(
      Array(3).fill([503, 'log_unavailable', answers[0].body.detail]),
    );
    expect(answers[0].headers.get('retry-after')).toBe('1');
  });

  it('go by the cache where that is newer than the database: who was removed stays out', async () => {
    await projectAll(writer);
    const removal = { userId: 'alice', participantIds: ['bob'] };
    await writer.call('DELETE', `${CONVERSATIONS}/${id}/participants`, removal);
    expect((await reader.call('GET', `${CONVERSATIONS}/${id}?userId=alice`)).status).toBe(200);
    fault = new LogUnavailableError('away');
    const answer = await reader.call('GET', `${CONVERSATIONS}/${id}/messages?userId=bob`);
    expect([answer.status, answer.body.code]).toEqual([503, 'log_unavailable']);
  });

  it('say honestly how far behind the database is: by the last that was known of the log', async () => {
    await projectAll(writer);
    await writer.call('POST', '/api/chat/messages', { conversationId: id, userId: 'bob', content: 'two' });
    await reader.logHead.ask();
    fault = new LogUnavailableError('away');
    const history = await reader.call('GET', `${CONVERSATIONS}/${id}/messages?userId=bob`);
    expect(history.body).toMatchObject({ messages: [{ content: 'hello' }], lag: { events: 1 } });
  });

  it('that is full go on, and sends are told what is full', async () => {
    await projectAll(writer);
    await reader.call('GET', `${CONVERSATIONS}/${id}?userId=bob`);
    fault = new LogFullError('The stream CHAT_EVENTS holds STREAM_MAX_BYTES: raise it.');
    const body = { conversationId: id, userId: 'bob', content: 'no room' };
    const sent = await reader.call('POST', '/api/chat/messages', body);
    expect([sent.status, sent.body.code, sent.headers.get('retry-after')]).toEqual([
      503,
      'log_unavailable',
      '30',
    ]);
    expect(sent.body.detail).toContain('STREAM_MAX_BYTES: raise it');
    expect((await reader.call('GET', `${CONVERSATIONS}/${id}/messages?userId=bob`)).status).toBe(200);
  });
});

describe('while nats-server is', () => {
  let nats: TestServer;
  let opened: OpenedLog;
  let api: TestApi;
  let edge: RealEdge;
  let client: ChatClient;
  let id: string;
  beforeEach(async () => {
    nats = await startTestNats();
    opened = await openTestLog(nats.url, { publisher: { deadlineMs: 4_000 } });
    const { log } = opened;
    api = await startTestApi({ log: () => log, feed: log, health: { logState: () => log.state } });
    edge = await startRealEdge(opened);
    const created = await api.call('POST', CONVERSATIONS, { userId: 'alice', visibility: 'open' });
    id = created.body.conversation.id;
    client = new ChatClient(() => `ws://127.0.0.1:${edge.port}`, 'bob');
    await client.connect();
    await client.join(id);
  });
  afterEach(async () => {
    client.drop();
    await edge.stop(1_000);
    await api.stop();
    await opened.close();
    await nats.stop();
  });

  const post = (key: string) => {
    const message = { conversationId: id, userId: 'alice', content: key, clientMessageId: key };
    return api.call('POST', '/api/chat/messages', message);
  };

  it.each([
    ['stopped', () => nats.kill9(), () => nats.restart()],
    ['frozen', async () => nats.freeze(), async () => nats.thaw()],
  ])(
    '%s: sends are answered in bounded time with the truth, sockets stay, and all goes on by itself',
    async (_how, hurt, heal) => {
      expect((await post('before')).status).toBe(201);
      await hurt();
      const outcomes = new Map<string, number>([['before', 201]]);
      const tookMs = new Map<string, number>();
      const timed = async (key: string, send: () => Promise<number>) => {
        const startedMs = performance.now();
        outcomes.set(key, await send());
        tookMs.set(key, performance.now() - startedMs);
      };
      const viaHttp = (key: string) => timed(key, async () => (await post(key)).status);
      const viaSocket = (key: string) =>
        timed(key, async () => {
          const answer = await client.send(id, key, key);
          return answer.op === 'ack'
            ? 201
            : ({ log_unavailable: 503, unknown_outcome: 504 }[String(answer.code)] ?? 0);
        });
      const first = [viaHttp('h0'), viaSocket('w0')];
      await waitFor('the log to count as away', () => opened.log.state === 'unavailable');
      for (let n = 1; n <= 5; n++) await Promise.all([viaHttp(`h${n}`), viaSocket(`w${n}`)]);
      const later = [...tookMs].filter(([key]) => /[hw][1-5]/.test(key)).map(([, ms]) => ms);
      expect(later).toHaveLength(10);
      // Without waiting for an acknowledgement, which takes two seconds and more.
      expect(Math.max(...later)).toBeLessThan(1_900);
      expect([...outcomes].filter(([key]) => /[hw][1-5]/.test(key)).map(([, status]) => status)).toEqual(
        Array(10).fill(503),
      );
      const join = await client.request({ op: 'join', conversationId: 'c_000000000000000000000' });
      expect(join).toMatchObject({ op: 'error', code: 'log_unavailable', retryable: true });
      expect(await client.request({ op: 'ping' })).toMatchObject({ op: 'pong' });
      const health = await Promise.all(
        ['', '/ready', '/stream'].map((path) => api.call('GET', `/health${path}`)),
      );
      expect(health.map(({ status }) => status)).toEqual([200, 503, 503]);
      expect(health[2]?.body.state).toMatch(/^(unavailable|probing)$/);
      await Promise.all(first);
      await heal();
      await waitFor('the log to be back by itself', () => opened.log.state === 'available');
      expect((await post('after')).status).toBe(201);
      outcomes.set('after', 201);
      // What is not known is settled by the same request again.
      for (const [key, status] of outcomes) {
        if (status !== 504) continue;
        expect([200, 201]).toContain((await post(key)).status);
        outcomes.set(key, 201);
      }
      const wanted = [...outcomes]
        .filter(([key, status]) => status === 201 && !key.startsWith('w'))
        .map(([key]) => key);
      const stored = await storedKeys(opened.log);
      for (const key of wanted)
        expect(
          stored.filter((each) => each === key),
          key,
        ).toHaveLength(1);
      for (const [key, status] of outcomes) if (status === 503) expect(stored).not.toContain(key);
      // The live feed goes on without a gap on the socket that stayed.
      await waitFor(
        'the live feed to bring what was stored',
        () => client.events.some(({ event }) => event.content === 'after'),
        { timeoutMs: 300_000 },
      );
      for (const [index, { prev }] of client.events.entries())
        expect(prev).toBe(client.events[index - 1]?.seq ?? 0);
    },
  );
});
