import fc from 'fast-check';
import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { historyProjection } from '../../../projections/history/history.ts';
import { claimCheckpoint } from '../../../projections/runner/checkpoints.ts';
import { rebuild } from '../../../projections/runner/rebuild.ts';
import { ProjectionRunner, type RunnerEvent } from '../../../projections/runner/runner.ts';
import { listVersions } from '../../../projections/runner/versions.ts';
import { encodeEvent } from '../../../src/contracts/events.ts';
import type { ChatEvent } from '../../../src/domain/conversation/events.ts';
import { MemoryEventLog } from '../../../src/eventlog/memory/memoryEventLog.ts';
import { verify } from '../../../src/maintenance/verify.ts';
import { systemIds } from '../../../src/platform/ids.ts';
import { migrate } from '../../../src/platform/migrate.ts';
import { projectRootUrl } from '../../../src/platform/projectRootUrl.ts';
import { inTransaction } from '../../../src/platform/transaction.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { waitFor } from '../../support/waitFor.ts';

let database: TestDatabase;
let pool: pg.Pool;
let runners: ProjectionRunner<unknown>[] = [];
const projection = historyProjection(projectRootUrl());

beforeEach(async () => {
  database = await createTestDatabase();
  await migrate({ url: database.url, directory: 'prisma/migrations' });
  pool = new pg.Pool({ connectionString: database.url, max: 8 });
  pool.on('error', () => {});
});

afterEach(async () => {
  await Promise.all(runners.map((runner) => runner.stop()));
  runners = [];
  await pool.end();
  await database.drop();
});

function startRunner(
  log: MemoryEventLog,
  batchMax = 100,
): { runner: ProjectionRunner<unknown>; events: RunnerEvent[] } {
  const events: RunnerEvent[] = [];
  const runner = new ProjectionRunner({
    projection,
    pool,
    log,
    feed: log,
    batchMax,
    onEvent: (event) => events.push(event),
  }) as ProjectionRunner<unknown>;
  runners.push(runner);
  runner.start();
  return { runner, events };
}

async function append(log: MemoryEventLog, event: ChatEvent): Promise<number> {
  const category = 'state' in event ? 'conversation' : 'message';
  const { conversationId } = event;
  const request = {
    conversationId,
    category,
    bytes: encodeEvent(event),
    idempotencyKey: systemIds.idempotencyKey(),
  };
  const result = await log.append(request as Parameters<MemoryEventLog['append']>[0]);
  return result.outcome === 'stored' ? result.seq : 0;
}

const USERS = ['alice', 'bob', 'carol', 'dave'];
const conversations = ['c_aaaaaaaaaaaaaaaaaaaaa', 'c_bbbbbbbbbbbbbbbbbbbbb'];
const messageId = (n: number) => `m_${String(n).padStart(22, '0')}`;
const at = (n: number) => new Date(1_700_000_000_000 + n * 1_000).toISOString();

/** One step of a random history: always events that the domain could have decided on, repeats included. */
type Step = readonly [kind: number, conversation: number, user: number, message: number];
const step: fc.Arbitrary<Step> = fc.tuple(fc.nat(5), fc.nat(1), fc.nat(3), fc.nat(12));

function history(steps: readonly Step[]): ChatEvent[] {
  const members = conversations.map(() => new Set(['alice']));
  const state = (c: number, title: string) => ({
    title,
    visibility: 'open' as const,
    participantIds: [...(members[c] ?? [])],
    createdBy: 'alice',
    createdAt: at(0),
    archived: false,
  });
  const events: ChatEvent[] = conversations.map((conversationId, c) => ({
    type: 'ConversationCreated',
    v: 1,
    conversationId,
    userId: 'alice',
    at: at(0),
    state: state(c, 'created'),
  }));
  for (const [n, [kind, c, u, m]] of steps.entries()) {
    const conversationId = conversations[c] ?? '';
    const userId = USERS[u] ?? '';
    const base = { v: 1 as const, conversationId, userId, at: at(n) };
    const id = messageId(m * 2 + c);
    const there = events.some((event) => 'messageId' in event && event.messageId === id);
    if (kind <= 1) {
      const author = USERS[m % 4] ?? '';
      const content = { clientMessageId: `k${m}`, content: `message ${m}`, replyTo: null, attachments: [] };
      events.push({ type: 'MessagePosted', ...base, userId: author, messageId: id, ...content });
    } else if (kind === 2 && there)
      events.push({ type: 'MessageEdited', ...base, messageId: id, content: `edit ${n}` });
    else if (kind === 3 && there) events.push({ type: 'MessageDeleted', ...base, messageId: id });
    else if (kind === 4 && !members[c]?.has(userId)) {
      members[c]?.add(userId);
      events.push({ type: 'ParticipantAdded', ...base, participantIds: [userId], state: state(c, 'added') });
    } else if (kind === 5 && members[c]?.has(userId)) {
      members[c]?.delete(userId);
      events.push({
        type: 'ParticipantRemoved',
        ...base,
        participantIds: [userId],
        state: state(c, 'removed'),
      });
    }
  }
  return events;
}

async function expectNoDifferences(log: MemoryEventLog): Promise<number> {
  const result = await verify({ log, feed: log, pool, waitMsMax: 10_000 });
  expect(result.differences).toEqual([]);
  return result.messages;
}

test('however the log is cut into batches, the read model is what the log says', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 20 }),
      async (steps, batchMax) => {
        const log = new MemoryEventLog({ epoch: systemIds.idempotencyKey().slice(0, 8) });
        for (const event of history(steps)) await append(log, event);
        await pool.query('DROP SCHEMA IF EXISTS history_v1 CASCADE');
        await pool.query('TRUNCATE projection_versions CASCADE');
        const { runner } = startRunner(log, batchMax);
        await waitFor('the runner to be live', () => runner.state === 'live', { everyMs: 2 });
        await expectNoDifferences(log);
        await runner.stop();
      },
    ),
    { numRuns: 40 },
  );
});

test('who leaves and posts comes to the same in one batch as in several', async () => {
  // Alice speaks and bob joins; he leaves and speaks: with batches of four, in one batch.
  const steps: Step[] = [
    [0, 0, 0, 0],
    [4, 0, 1, 0],
    [5, 0, 1, 0],
    [0, 0, 1, 1],
  ];
  for (const batchMax of [1, 4, 100]) {
    const log = new MemoryEventLog({ epoch: `batch${batchMax}` });
    for (const event of history(steps)) await append(log, event);
    await pool.query('DROP SCHEMA IF EXISTS history_v1 CASCADE');
    await pool.query('TRUNCATE projection_versions CASCADE');
    const { runner } = startRunner(log, batchMax);
    await waitFor('all to be projected', () => runner.checkpoint === 6);
    await expectNoDifferences(log);
    const bob = await pool.query(
      `SELECT member, posted, joined_ordinal::int FROM participants WHERE user_id = 'bob'`,
    );
    expect(bob.rows).toEqual([{ member: false, posted: true, joined_ordinal: 0 }]);
    await runner.stop();
  }
});

test('a message that comes again after the log forgot it is in the history once', async () => {
  const log = new MemoryEventLog();
  const [created, , posted] = history([[0, 0, 0, 1]]);
  for (const event of [created, posted, posted]) if (event !== undefined) await append(log, event);
  const { runner } = startRunner(log, 1);
  await waitFor('all to be projected', () => runner.checkpoint === 3);
  if (posted !== undefined) await append(log, posted);
  await append(log, { ...(posted as ChatEvent & { type: 'MessagePosted' }), messageId: messageId(77) });
  await waitFor('the rest', () => runner.checkpoint === 5);
  expect(await expectNoDifferences(log)).toBe(2);
  const ordinals = await pool.query('SELECT ordinal::int FROM messages ORDER BY seq');
  expect(ordinals.rows).toEqual([{ ordinal: 1 }, { ordinal: 2 }]);
});

test('whoever lost the claim writes nothing any more, and takes it back only by a new claim', async () => {
  const log = new MemoryEventLog();
  for (const event of history([[0, 0, 0, 1]])) await append(log, event);
  const { runner, events } = startRunner(log);
  await waitFor('the runner to be live', () => runner.state === 'live');
  await inTransaction(pool, (client) => claimCheckpoint(client, 'history', 1));
  const seq = await append(log, history([[0, 1, 0, 5]]).at(-1) as ChatEvent);
  await waitFor('the refusal', () =>
    events.some((event) => event.type === 'projectionFailed' && event.trigger === 'fenced'),
  );
  await waitFor('a new claim', () => runner.checkpoint === seq);
  await expectNoDifferences(log);
});

test('an event that cannot be read halts the projection before it, and nothing is skipped', async () => {
  const log = new MemoryEventLog();
  for (const event of history([[0, 0, 0, 1]])) await append(log, event);
  const bytes = new TextEncoder().encode('{"type":"MessageBurnt","v":9}');
  const conversationId = conversations[0] ?? '';
  await log.append({ conversationId, category: 'message', bytes, idempotencyKey: 'burnt' });
  await append(log, history([[0, 1, 0, 5]]).at(-1) as ChatEvent);
  const { runner, events } = startRunner(log);
  await waitFor('the runner to halt', () => runner.state === 'halted');
  expect(runner.checkpoint).toBe(3);
  const failure = events.find((event) => event.type === 'projectionFailed');
  expect(String(failure?.type === 'projectionFailed' && failure.error)).toMatch(
    /Event 4 of the log cannot be read/,
  );
});

test('a message of a conversation that does not exist halts instead of vanishing', async () => {
  const log = new MemoryEventLog();
  await append(log, history([[0, 0, 0, 1]]).at(-1) as ChatEvent);
  const { runner } = startRunner(log);
  await waitFor('the runner to halt', () => runner.state === 'halted');
  expect((await pool.query('SELECT * FROM messages')).rows).toEqual([]);
});

test('a read model of another log, or ahead of the log, halts with the reason', async () => {
  const log = new MemoryEventLog({ epoch: 'one' });
  for (const event of history([[0, 0, 0, 1]])) await append(log, event);
  const first = startRunner(log);
  await waitFor('the runner to be live', () => first.runner.state === 'live');
  await first.runner.stop();
  for (const [other, reason] of [
    [new MemoryEventLog({ epoch: 'two' }), /was built from the log of epoch one, but the log's epoch is two/],
    [new MemoryEventLog({ epoch: 'one' }), /has events up to 3, but the log ends at 0/],
  ] as const) {
    const { runner, events } = startRunner(other);
    await waitFor('the runner to halt', () => runner.state === 'halted');
    const failure = events.find((event) => event.type === 'projectionFailed');
    expect(String(failure?.type === 'projectionFailed' && failure.error)).toMatch(reason);
  }
});

test('connections that are cut are made anew, and every event is projected once', async () => {
  const log = new MemoryEventLog();
  const events = history(Array.from({ length: 300 }, (_, n): Step => [n % 5, n % 2, n % 4, n % 13]));
  const { runner } = startRunner(log, 3);
  for (const [n, event] of events.entries()) {
    await append(log, event);
    if (n % 60 !== 30) continue;
    await pool.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
  }
  await waitFor('the runner to be through', () => runner.checkpoint === events.length, { timeoutMs: 20_000 });
  await expectNoDifferences(log);
});

test('a rebuild is switched to while events keep coming; reads are never empty, half or down', async () => {
  const log = new MemoryEventLog();
  const events = history(Array.from({ length: 400 }, (_, n): Step => [n % 5, n % 2, n % 4, n % 13]));
  for (const event of events) await append(log, event);
  const { runner } = startRunner(log);
  await waitFor('the runner to be live', () => runner.state === 'live');
  const complete = (await pool.query('SELECT count(*)::int AS n FROM messages')).rows[0].n;
  let building = true;
  const seen = new Set<number>();
  const reading = (async () => {
    while (building) seen.add((await pool.query('SELECT count(*)::int AS n FROM messages')).rows[0].n);
  })();
  let extra = 0;
  const writing = (async () => {
    while (building) {
      extra += 1;
      const posted = history([[0, 0, 0, 1]]).at(-1) as ChatEvent & { type: 'MessagePosted' };
      await append(log, { ...posted, messageId: messageId(1_000 + extra) });
      // The pace of a client that waits for something between two messages.
      await pool.query('SELECT 1');
    }
  })();
  const version = await rebuild({ projection, pool, log, feed: log, batchMax: 50 });
  building = false;
  await Promise.all([reading, writing]);
  expect(version).toMatchObject({ version: 2, status: 'live' });
  expect(Math.min(...seen)).toBeGreaterThanOrEqual(complete);
  await waitFor('the worker to go on with the new version', async () => {
    return runner.checkpoint === (await log.status()).lastSeq;
  });
  await expectNoDifferences(log);
  expect(await listVersions(pool, 'history')).toMatchObject([
    { version: 1, status: 'retired' },
    { version: 2, status: 'live' },
  ]);
});

test('an interrupted rebuild goes on where it was, and the next one drops what is retired', async () => {
  const log = new MemoryEventLog();
  for (const event of history([[0, 0, 0, 1]])) await append(log, event);
  const { runner } = startRunner(log);
  await waitFor('the runner to be live', () => runner.state === 'live');
  const bytes = new TextEncoder().encode('{}');
  const conversationId = conversations[0] ?? '';
  const broken = await log.append({ conversationId, category: 'message', bytes, idempotencyKey: 'broken' });
  expect(broken.outcome).toBe('stored');
  await expect(rebuild({ projection, pool, log, feed: log, batchMax: 1 })).rejects.toThrow(/cannot be read/);
  expect(await listVersions(pool, 'history')).toMatchObject([
    { version: 1 },
    { version: 2, status: 'building' },
  ]);
  const left = await pool.query('SELECT min(seq)::int AS seq FROM projection_checkpoints WHERE version = 2');
  expect(left.rows).toEqual([{ seq: 3 }]);
});
