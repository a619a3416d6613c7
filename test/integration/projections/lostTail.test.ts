import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { historyProjection } from '../../../projections/history/history.ts';
import { LogRegressedError } from '../../../projections/runner/logGuard.ts';
import { PostgresStore } from '../../../projections/runner/postgresStore.ts';
import { rebuild } from '../../../projections/runner/rebuild.ts';
import { ProjectionRunner, type RunnerEvent } from '../../../projections/runner/runner.ts';
import { addParticipants } from '../../../src/application/commands/changeParticipants.ts';
import { changeReaction } from '../../../src/application/commands/changeReaction.ts';
import { createConversation } from '../../../src/application/commands/createConversation.ts';
import { deleteMessage } from '../../../src/application/commands/deleteMessage.ts';
import { editMessage } from '../../../src/application/commands/editMessage.ts';
import { postMessage } from '../../../src/application/commands/postMessage.ts';
import { verify } from '../../../src/maintenance/audit/verify.ts';
import { repairLog } from '../../../src/maintenance/repair/logRepair.ts';
import { projectRootUrl } from '../../../src/platform/embedded/projectRootUrl.ts';
import { systemTimers } from '../../../src/platform/time/timers.ts';
import { applicationOn } from '../../support/application/application.ts';
import { openMemoryEdge } from '../../support/edge/memoryEdge.ts';
import { type OpenedLog, openTestLog } from '../../support/eventlog/jetStreamLog.ts';
import { createMigratedDatabase } from '../../support/projections/historyDatabase.ts';
import { startTestNats } from '../../support/servers/nats.ts';
import type { TestDatabase } from '../../support/servers/postgres.ts';
import type { TestServer } from '../../support/servers/testServer.ts';
import { waitFor } from '../../support/time/waitFor.ts';

/** A real log on a server whose store can be taken back to an earlier time, and the history built from it. */
let server: TestServer;
let opened: OpenedLog;
let database: TestDatabase;
let pool: pg.Pool;
let runner: ProjectionRunner<unknown>;
let failures: RunnerEvent[];

const projection = historyProjection(projectRootUrl());
const store = () => join(server.dataDir, 'nats');
const copy = () => join(server.dataDir, 'copy');

beforeEach(async () => {
  server = await startTestNats();
  opened = await openTestLog(server.url);
  database = await createMigratedDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 24 });
  pool.on('error', () => {});
  failures = [];
  runner = startRunner();
});

afterEach(async () => {
  await runner.stop();
  await pool.end();
  await database.drop();
  await opened.close();
  await server.stop();
});

function startRunner(): ProjectionRunner<unknown> {
  const { log } = opened;
  const started = new ProjectionRunner({
    projection,
    store: new PostgresStore({ projection, pool, worker: 'test' }),
    log,
    feed: log,
    timers: systemTimers,
    batchMax: 50,
    onEvent: (event) => {
      if (event.type === 'projectionFailed') failures.push(event);
    },
  }) as ProjectionRunner<unknown>;
  started.start();
  return started;
}

/** Somebody who uses the system. */
function user(userId: string, log: OpenedLog) {
  const context = applicationOn(log);
  return {
    create: async (participantIds: string[] = []) => {
      const request = { userId, title: 'Tea', visibility: 'open' as const, participantIds };
      return (await createConversation(context, request)).conversationId;
    },
    post: (conversationId: string, content: string) =>
      postMessage(context, { conversationId, userId, content }),
    edit: (conversationId: string, messageId: string, content: string) =>
      editMessage(context, { conversationId, userId, messageId, content }),
    remove: (conversationId: string, messageId: string, erase = false) =>
      deleteMessage(context, { conversationId, userId, messageId, erase }),
    react: (conversationId: string, messageId: string) =>
      changeReaction(context, { conversationId, userId, messageId, emoji: '👍', add: true }),
    add: (conversationId: string, participantId: string) =>
      addParticipants(context, { conversationId, userId, participantIds: [participantId] }),
  };
}

async function projected(): Promise<void> {
  const { lastSeq } = await opened.log.status();
  await waitFor('all to be projected', () => runner.checkpoint === lastSeq);
}

/** What a backup has: the store as it is now. */
async function takeCopy(): Promise<void> {
  await server.kill9();
  cpSync(store(), copy(), { recursive: true });
  await server.restart();
  await waitFor('the log to answer', () => opened.log.status());
}

/** The server comes back with the store of the copy, and others write on before anybody asks. */
async function comeBackWithCopy(write: (log: OpenedLog) => Promise<void>): Promise<void> {
  await server.kill9();
  rmSync(store(), { recursive: true });
  cpSync(copy(), store(), { recursive: true });
  await server.restart();
  const other = await openTestLog(server.url);
  await write(other);
  await other.close();
}

async function rows(): Promise<{ content: string }[]> {
  return (await pool.query('SELECT content FROM messages ORDER BY conversation_id, ordinal')).rows;
}

/** Whether these bytes are anywhere in the log's files. */
function onDisk(words: string): boolean {
  const files = readdirSync(store(), { recursive: true, withFileTypes: true }).filter((file) =>
    file.isFile(),
  );
  return files.some((file) => readFileSync(join(file.parentPath, file.name)).includes(words));
}

test('a worker does not project on after what the log has lost, however fast that was outgrown', async () => {
  const alice = user('alice', opened);
  const conversationId = await alice.create();
  await alice.post(conversationId, 'kept');
  await projected();
  await takeCopy();
  for (let n = 0; n < 5; n++) await alice.post(conversationId, `lost ${n}`);
  await projected();
  const { epoch } = opened.log;
  await comeBackWithCopy(async (other) => {
    for (let n = 0; n < 50; n++) await user('bob', other).post(conversationId, `since ${n}`);
  });
  await waitFor('the worker to halt', () => runner.state === 'halted');
  const [failure] = failures.slice(-1);
  expect(failure?.type === 'projectionFailed' && failure.error).toBeInstanceOf(LogRegressedError);
  expect(String(failure?.type === 'projectionFailed' && failure.error)).toMatch(/log repair --dry-run/);
  expect((await rows()).map(({ content }) => content)).toEqual([
    'kept',
    ...[0, 1, 2, 3, 4].map((n) => `lost ${n}`),
  ]);
  const status = await opened.log.status();
  expect(status.previousEpoch).toBe(epoch);
  expect(status.epoch).not.toBe(epoch);
});

test('everybody who is connected learns that the log is another one', async () => {
  const alice = user('alice', opened);
  const conversationId = await alice.create();
  await alice.post(conversationId, 'kept');
  await takeCopy();
  const { log } = opened;
  const edge = await openMemoryEdge({ wrap: () => log });
  const { request, socket } = edge.connect();
  const { epoch } = (await request({ op: 'join', conversationId })) as { epoch: string };
  const { seq } = await alice.post(conversationId, 'lost');
  await waitFor('the event', () => socket.of('event').at(-1)?.seq === seq);
  await runner.stop();
  await comeBackWithCopy(async (other) => {
    for (let n = 0; n < 5; n++) await user('bob', other).post(conversationId, `since ${n}`);
  });
  await waitFor('the news', () => socket.of('resync').length === 1);
  expect(socket.of('event')).toHaveLength(1);
  const joined = await request({ op: 'join', conversationId });
  expect(joined).toMatchObject({ op: 'joined' });
  expect(joined.epoch).not.toBe(epoch);
  await edge.stop();
});

test('what the log has lost comes back from the history, what was erased does not', async () => {
  const alice = user('alice', opened);
  const conversationId = await alice.create(['bob']);
  const kept = await alice.post(conversationId, 'kept as it was');
  const edited = await alice.post(conversationId, 'kept, edited later');
  const secret = await alice.post(conversationId, 'the secret of the house');
  await projected();
  await takeCopy();
  const lost = await alice.post(conversationId, 'lost');
  const deleted = await alice.post(conversationId, 'lost and deleted');
  await alice.edit(conversationId, edited.messageId, 'edited');
  await alice.edit(conversationId, lost.messageId, 'lost and edited');
  await alice.remove(conversationId, deleted.messageId);
  await alice.remove(conversationId, secret.messageId, true);
  await alice.react(conversationId, kept.messageId);
  await alice.add(conversationId, 'carol');
  const second = await alice.create(['dave']);
  await alice.post(second, 'in a conversation that was lost');
  await projected();
  await comeBackWithCopy(async (other) => {
    for (let n = 0; n < 20; n++) await user('bob', other).post(conversationId, `since ${n}`);
  });
  await waitFor('the worker to halt', () => runner.state === 'halted');
  expect(onDisk('the secret of the house')).toBe(true);

  const options = { application: applicationOn(opened), pool };
  const events = {
    ...{ ConversationCreated: 1, ParticipantAdded: 1, MessagePosted: 3, MessageEdited: 2, MessageDeleted: 2 },
    ReactionAdded: 1,
  };
  const found = { regressed: true, conversations: 2, events, erased: 1, left: [] };
  const before = await opened.log.status();
  expect(await repairLog({ ...options, dryRun: true })).toEqual(found);
  expect((await opened.log.status()).lastSeq).toBe(before.lastSeq);
  expect(await repairLog({ ...options, dryRun: false })).toEqual(found);
  const again = { regressed: true, conversations: 0, events: {}, erased: 0, left: [] };
  expect(await repairLog({ ...options, dryRun: false })).toEqual(again);
  expect(onDisk('the secret of the house')).toBe(false);

  const { log } = opened;
  const rebuilding = {
    ...{ projection, pool, log, feed: log, timers: systemTimers, worker: 'rebuild', batchMax: 50 },
  };
  await expect(rebuild(rebuilding)).rejects.toThrow(/only history still knows; .*chat-backend log repair/);
  await rebuild({ ...rebuilding, acceptLoss: true });
  await waitFor('the worker to go on', () => runner.state === 'live');
  const result = await verify({ log, feed: log, pool, waitMsMax: 5_000 });
  expect(result).toMatchObject({ differences: [], parked: [], messages: 26, conversations: 2 });
  const contents = (await rows()).map(({ content }) => content);
  for (const content of [
    'kept as it was',
    'edited',
    'lost and edited',
    'since 19',
    'in a conversation that was lost',
  ]) {
    expect(contents).toContain(content);
  }
  expect(contents.filter((content) => content === '')).toHaveLength(2);
  const { rows: participants } = await pool.query(
    'SELECT user_id FROM participants WHERE conversation_id = $1 ORDER BY 1',
    [conversationId],
  );
  expect(participants.map(({ user_id }) => user_id)).toEqual(['alice', 'bob', 'carol']);
  expect(await repairLog({ ...options, dryRun: true })).toMatchObject({ regressed: false });
});
