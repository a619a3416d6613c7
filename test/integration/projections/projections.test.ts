import fc from 'fast-check';
import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { historyProjection } from '../../../projections/history/history.ts';
import { PostgresStore } from '../../../projections/runner/postgresStore.ts';
import { rebuild } from '../../../projections/runner/rebuild.ts';
import { ProjectionRunner, type RunnerEvent } from '../../../projections/runner/runner.ts';
import { dropLeftOver, ensureBuildingVersion, listVersions } from '../../../projections/runner/versions.ts';
import { encodeEvent } from '../../../src/contracts/events/events.ts';
import { groupOf } from '../../../src/contracts/events/subjects.ts';
import type { ChatEvent, MessagePosted } from '../../../src/domain/conversation/events.ts';
import { MemoryEventLog } from '../../../src/eventlog/memory/memoryEventLog.ts';
import { verify } from '../../../src/maintenance/audit/verify.ts';
import { projectRootUrl } from '../../../src/platform/embedded/projectRootUrl.ts';
import { systemIds } from '../../../src/platform/ids.ts';
import { migrate } from '../../../src/platform/postgres/migrations/migrate.ts';
import { systemTimers } from '../../../src/platform/time/timers.ts';
import { createTestDatabase, type TestDatabase } from '../../support/servers/postgres.ts';
import { waitFor } from '../../support/time/waitFor.ts';

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
    store: new PostgresStore({ projection, pool, worker: `test${runners.length}` }),
    log,
    feed: log,
    timers: systemTimers,
    batchMax,
    onEvent: (event) => {
      events.push(event);
    },
  }) as ProjectionRunner<unknown>;
  runners.push(runner);
  runner.start();
  return { runner, events };
}

const rebuildOptions = (log: MemoryEventLog, batchMax: number) => ({
  ...{ projection, pool, log, feed: log, batchMax },
  ...{ timers: systemTimers, worker: 'rebuild' },
});

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

/** Of the group that the conversation belongs to. */
async function checkpointOf(conversationId: string): Promise<number> {
  const sql = 'SELECT seq::int FROM projection_checkpoints WHERE partition_group = $1';
  return (await pool.query(sql, [groupOf(conversationId)])).rows[0].seq;
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

test('a message that comes again with another text stays as it was', async () => {
  const log = new MemoryEventLog();
  const [created, , posted] = history([[0, 0, 0, 1]]) as [ChatEvent, ChatEvent, MessagePosted];
  for (const event of [created, posted, { ...posted, content: 'other' }]) await append(log, event);
  const { runner } = startRunner(log);
  await waitFor('all to be projected', () => runner.checkpoint === 3);
  await append(log, { ...posted, content: 'another' });
  await waitFor('all to be projected', () => runner.checkpoint === 4);
  expect((await pool.query('SELECT content FROM messages')).rows).toEqual([{ content: posted.content }]);
  await expectNoDifferences(log);
});

test.each([
  ['in the batch', 100],
  ['before the batch', 1],
])(
  'an event with the id of a message %s that is not its own waits aside, saying whose it is',
  async (_, batchMax) => {
    const log = new MemoryEventLog();
    const [created, , posted] = history([[0, 0, 0, 1]]) as [ChatEvent, ChatEvent, MessagePosted];
    // Of the same partition group, and so of the same batch.
    const conversationId = 'c_eeeeeeeeeeeeeeeeeeeee';
    expect(groupOf(conversationId)).toBe(groupOf(posted.conversationId));
    for (const event of [created, { ...created, conversationId }, posted]) await append(log, event);
    const forged = await append(log, { ...posted, conversationId });
    await append(log, { ...posted, messageId: messageId(98), clientMessageId: 'behind' });
    const waiting = await append(log, { ...posted, conversationId, messageId: messageId(99) });
    const { runner } = startRunner(log, batchMax);
    await waitFor('all to be projected', () => runner.checkpoint === waiting);
    const parked = await pool.query('SELECT conversation_id, seq::int, error FROM parked_conversations');
    expect(parked.rows).toMatchObject([{ conversation_id: conversationId, seq: forged }]);
    expect(parked.rows[0].error).toMatch(
      /^Event 4 \(MessagePosted\) of c_e.* is that of another message, from bob in c_a.* wrote it\. When .*parked retry history c_e/,
    );
    const shown = await pool.query('SELECT conversation_id, message_id FROM messages ORDER BY seq');
    expect(shown.rows).toEqual([
      { conversation_id: posted.conversationId, message_id: posted.messageId },
      { conversation_id: posted.conversationId, message_id: messageId(98) },
    ]);
  },
);

test('whoever lost the claim writes nothing any more, and takes it back only by a new claim', async () => {
  const log = new MemoryEventLog();
  for (const event of history([[0, 0, 0, 1]])) await append(log, event);
  const { runner, events } = startRunner(log);
  await waitFor('the runner to be live', () => runner.state === 'live');
  // As another worker would, if it believed this one dead.
  await pool.query(`UPDATE projection_checkpoints SET owner = 'other', owner_epoch = owner_epoch + 1`);
  const seq = await append(log, history([[0, 1, 0, 5]]).at(-1) as ChatEvent);
  await waitFor('the refusal', () =>
    events.some((event) => event.type === 'projectionFailed' && event.trigger === 'fenced'),
  );
  await pool.query(`UPDATE projection_checkpoints SET lease_until = now()`);
  await waitFor('a new claim', () => runner.checkpoint === seq);
  await expectNoDifferences(log);
});

test('an event of a type that is not known halts the projection before it, until an operator says to go on', async () => {
  const log = new MemoryEventLog();
  for (const event of history([[0, 0, 0, 1]])) await append(log, event);
  const bytes = new TextEncoder().encode('{"type":"MessageBurnt","v":9}');
  const conversationId = conversations[0] ?? '';
  await log.append({ conversationId, category: 'message', bytes, idempotencyKey: 'burnt' });
  await append(log, history([[0, 0, 1, 5]]).at(-1) as ChatEvent);
  const { runner, events } = startRunner(log);
  await waitFor('the runner to halt', () => runner.state === 'halted');
  expect(await checkpointOf(conversationId)).toBe(3);
  const failure = events.find((event) => event.type === 'projectionFailed');
  expect(String(failure?.type === 'projectionFailed' && failure.error)).toMatch(
    /Event 4 of the log cannot be read/,
  );
  await pool.query(`INSERT INTO projection_controls VALUES ('history', false, 1)`);
  await waitFor(
    'the runner to try again',
    () => events.filter(({ type }) => type === 'projectionFailed').length > 1,
  );
});

test('a conversation with an event that cannot be read waits aside, and everything else flows', async () => {
  const log = new MemoryEventLog();
  for (const event of history([[0, 0, 0, 1]])) await append(log, event);
  const bytes = new TextEncoder().encode('no JSON');
  const [conversationId = ''] = conversations;
  await log.append({ conversationId, category: 'message', bytes, idempotencyKey: 'broken' });
  for (const step of [
    [0, 0, 0, 2],
    [0, 1, 0, 5],
  ] as Step[])
    await append(log, history([step]).at(-1) as ChatEvent);
  const { runner } = startRunner(log);
  await waitFor('all to be projected', () => runner.checkpoint === 6);
  const parked = await pool.query(
    'SELECT conversation_id, seq::int, error, attempts FROM parked_conversations',
  );
  expect(parked.rows).toMatchObject([{ conversation_id: conversationId, seq: 4, attempts: 1 }]);
  expect(parked.rows[0].error).toMatch(/Event 4 .*parked retry history c_a/);
  const counts = await pool.query(
    'SELECT conversation_id, count(*)::int AS n FROM messages GROUP BY 1 ORDER BY 1',
  );
  expect(counts.rows.map(({ n }) => n)).toEqual([1, 1]);
  // Nothing has changed: it is tried again, and waits on.
  await pool.query('UPDATE parked_conversations SET retry_requested_at = now()');
  await waitFor('another attempt', async () => {
    const [row] = (await pool.query('SELECT attempts, retry_requested_at FROM parked_conversations')).rows;
    return row.attempts === 2 && row.retry_requested_at === null;
  });
});

test('messages of a conversation that does not exist wait aside; when it does, a retry drains them in order', async () => {
  const log = new MemoryEventLog();
  const events = history([
    [0, 0, 0, 1],
    [0, 0, 0, 2],
    [2, 0, 0, 1],
    [0, 1, 0, 3],
  ]);
  const [created, other, ...messages] = events;
  if (created === undefined || other === undefined)
    throw new Error('A history begins with its conversations');
  for (const event of [other, ...messages]) await append(log, event);
  const { runner } = startRunner(log, 2);
  await waitFor('all to be projected', () => runner.checkpoint === 5);
  expect((await pool.query('SELECT seq::int FROM messages')).rows).toEqual([{ seq: 5 }]);
  const [parked] = (await pool.query('SELECT seq::int, error FROM parked_conversations')).rows;
  expect(parked).toMatchObject({
    seq: 2,
    error: expect.stringMatching(/Event 2 \(MessagePosted\).*ordinal/),
  });
  // More of it waits behind, and then what is missing is brought in from elsewhere.
  await append(log, { ...(messages[0] as ChatEvent & { type: 'MessagePosted' }), messageId: messageId(99) });
  await waitFor('it to be passed over', () => runner.checkpoint === 6);
  await pool.query(
    `INSERT INTO history_v1.conversations (id, visibility, created_by, created_at, archived, participant_ids, state_seq)
     VALUES ($1, 'open', 'alice', $2, false, '{alice}', 1)`,
    [created.conversationId, created.at],
  );
  await pool.query('UPDATE parked_conversations SET retry_requested_at = now()');
  await waitFor(
    'the retry',
    async () => (await pool.query('SELECT FROM parked_conversations')).rowCount === 0,
  );
  const rows = await pool.query('SELECT seq::int, ordinal::int, content FROM messages ORDER BY seq');
  expect(rows.rows).toMatchObject([
    { seq: 2, ordinal: 1, content: 'edit 2' },
    { seq: 3, ordinal: 2 },
    { seq: 5 },
    { seq: 6, ordinal: 3 },
  ]);
});

test('two workers share the groups, and one takes over from the other', async () => {
  const log = new MemoryEventLog();
  for (const event of history([[0, 0, 0, 1]])) await append(log, event);
  const one = startRunner(log);
  await waitFor('the first to have all', () => one.runner.checkpoints.size === 4);
  const two = startRunner(log);
  await waitFor(
    'an even share',
    () => one.runner.checkpoints.size === 2 && two.runner.checkpoints.size === 2,
    {
      timeoutMs: 15_000,
    },
  );
  await one.runner.stop();
  await waitFor('the takeover', () => two.runner.checkpoints.size === 4);
  const seq = await append(log, history([[0, 1, 0, 5]]).at(-1) as ChatEvent);
  await waitFor('all to be projected', () => two.runner.checkpoint === seq);
  await expectNoDifferences(log);
});

test('a paused projection rests until it is resumed', async () => {
  const log = new MemoryEventLog();
  for (const event of history([[0, 0, 0, 1]])) await append(log, event);
  await pool.query(`INSERT INTO projection_controls VALUES ('history', true)`);
  const { runner } = startRunner(log);
  await waitFor('the pause', () => runner.state === 'paused');
  await pool.query('UPDATE projection_controls SET paused = false');
  await waitFor('the end of the pause', () => runner.checkpoint === 3);
});

test('a log that lost its tail and went on is noticed by the bytes at the checkpoint', async () => {
  const [log, other] = [new MemoryEventLog({ epoch: 'one' }), new MemoryEventLog({ epoch: 'one' })];
  for (const event of history([[0, 0, 0, 1]])) await append(log, event);
  for (const event of history([[0, 0, 0, 2]])) await append(other, event);
  const first = startRunner(log);
  await waitFor('all to be projected', () => first.runner.checkpoint === 3);
  await first.runner.stop();
  const { runner, events } = startRunner(other);
  await waitFor('the runner to halt', () => runner.state === 'halted');
  const failure = events.find((event) => event.type === 'projectionFailed');
  expect(String(failure?.type === 'projectionFailed' && failure.error)).toMatch(
    /another event 3 than the log holds now: its tail was lost, and written again.*log repair/,
  );
});

test('tables of a newer format than the code are not touched', async () => {
  const log = new MemoryEventLog();
  for (const event of history([[0, 0, 0, 1]])) await append(log, event);
  const first = startRunner(log);
  await waitFor('all to be projected', () => first.runner.checkpoint === 3);
  await first.runner.stop();
  await pool.query('UPDATE projection_versions SET format = format + 1');
  const { runner, events } = startRunner(log);
  await waitFor('the runner to halt', () => runner.state === 'halted');
  const failure = events.find((event) => event.type === 'projectionFailed');
  expect(String(failure?.type === 'projectionFailed' && failure.error)).toMatch(
    /newer version of chat-backend/,
  );
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
  const { version } = await rebuild(rebuildOptions(log, 50));
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

test('a rebuild that would change something says what; an interrupted one goes on where it was', async () => {
  const log = new MemoryEventLog();
  for (const event of history([
    [0, 0, 0, 1],
    [0, 1, 0, 2],
  ]))
    await append(log, event);
  const { runner } = startRunner(log);
  await waitFor('all to be projected', () => runner.checkpoint === 4);
  await pool.query(`UPDATE history_v1.messages SET content = 'tampered' WHERE conversation_id = $1`, [
    conversations[1],
  ]);
  await expect(rebuild({ ...rebuildOptions(log, 1), requireEqual: true })).rejects.toThrow(
    /differs .* in 1 places/,
  );
  expect(await listVersions(pool, 'history')).toMatchObject([
    { version: 1, status: 'live' },
    { version: 2, status: 'building' },
  ]);
  const dry = await rebuild({ ...rebuildOptions(log, 1), dryRun: true });
  expect(dry).toMatchObject({ switched: false, version: { version: 2 } });
  expect(dry.comparison).toEqual({ compared: 2, different: [conversations[1]] });
  expect(await listVersions(pool, 'history')).toMatchObject([{ version: 1, status: 'live' }]);
  expect(await rebuild(rebuildOptions(log, 1))).toMatchObject({ switched: true, version: { version: 2 } });
  await waitFor('the worker to go on', () => runner.checkpoint === 4);
  await expectNoDifferences(log);
  expect(await dropLeftOver(pool, projection, 60_000)).toEqual([]);
  expect(await dropLeftOver(pool, projection, 0)).toEqual([1]);
});

test('only one process rebuilds a read model at a time', async () => {
  const log = new MemoryEventLog();
  for (const event of history([[0, 0, 0, 1]])) await append(log, event);
  const { runner } = startRunner(log);
  await waitFor('all to be projected', () => runner.checkpoint === 3);
  await ensureBuildingVersion(pool, projection, log.epoch);
  await pool.query(
    `UPDATE projection_checkpoints SET owner = 'else', lease_until = now() + interval '1 minute' WHERE version = 2`,
  );
  await expect(rebuild(rebuildOptions(log, 1))).rejects.toThrow(/Another process is rebuilding history/);
});
