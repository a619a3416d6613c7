import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { postMessage } from '../../../src/application/commands/postMessage.ts';
import { CHUNK_BYTES } from '../../../src/contracts/uploads/uploads.ts';
import { KEPT } from '../../../src/maintenance/uploads/uploadStatements.ts';
import { sweepUploads } from '../../../src/maintenance/uploads/uploadSweep.ts';
import { type SweepEvent, UploadSweeper } from '../../../src/maintenance/uploads/uploadSweeper.ts';
import { systemIds } from '../../../src/platform/ids.ts';
import { startTestApi, type TestApi } from '../../support/http/httpApi.ts';
import { openTestAttachments, storeUpload, uploadBytes } from '../../support/http/uploads.ts';
import { createMigratedDatabase, projectAll } from '../../support/projections/historyDatabase.ts';
import { startTestNats } from '../../support/servers/nats.ts';
import type { TestDatabase } from '../../support/servers/postgres.ts';
import type { TestServer } from '../../support/servers/testServer.ts';
import { ManualTime } from '../../support/time/manualTime.ts';
import { waitFor } from '../../support/time/waitFor.ts';

const HOUR_MS = 3_600_000;
let database: TestDatabase;
let nats: TestServer;
let opened: Awaited<ReturnType<typeof openTestAttachments>>;
let api: TestApi;
let conversationId: string;
/** How far the sweeper's clock is ahead of the uploads'. */
let laterMs: number;

beforeEach(async () => {
  database = await createMigratedDatabase();
  nats = await startTestNats();
  opened = await openTestAttachments(nats.url);
  api = await startTestApi({ databaseUrl: database.url, attachments: opened.store });
  const body = { userId: 'alice', participantIds: ['bob'] };
  conversationId = (await api.call('POST', '/api/chat/conversations', body)).body.conversation.id;
  laterMs = 25 * HOUR_MS;
});
afterEach(async () => {
  await api.stop();
  await opened.close();
  await nats.stop();
  await database.drop();
});

const options = () => ({
  attachments: opened.store,
  log: api.log,
  pool: api.database.pool,
  clock: { nowMs: () => Date.now() + laterMs },
});
const sweep = (after = 0) => sweepUploads(options(), after);
const store = async () =>
  (await storeUpload(opened.store, uploadBytes(CHUNK_BYTES + 5), { conversationId })).id;
const isThere = async (id: string) => (await opened.store.find(id)) !== null;
const attach = (id: string) =>
  postMessage(api.application, { conversationId, userId: 'alice', content: 'look', attachments: [id] });
const run = (statement: string) => api.database.pool.query(statement);

describe('a sweep', () => {
  it('removes what no message refers to after a day, and nothing else', async () => {
    const [used, abandoned] = [await store(), await store()];
    await attach(used);
    await projectAll(api);
    laterMs = 23.9 * HOUR_MS;
    expect(await sweep()).toEqual({ abandoned: 0, leftovers: 0, undecided: 0, next: null });
    laterMs = 24.1 * HOUR_MS;
    expect(await sweep()).toEqual({ abandoned: 1, leftovers: 0, undecided: 0, next: null });
    expect([await isThere(used), await isThere(abandoned)]).toEqual([true, false]);
    expect(await sweep()).toMatchObject({ abandoned: 0 });
  });

  it('asks the history by an index of what messages refer to, and reads no conversation through', async () => {
    await projectAll(api);
    // So many that the planner has a choice; a conversation of nothing but these would be read through otherwise.
    await run(`INSERT INTO history_v1.messages (message_id, conversation_id, seq, ordinal, user_id, client_message_id, content, at)
      SELECT 'm' || n, '${conversationId}', n, n, 'alice', 'k' || n, 'x', now() FROM generate_series(10, 20000) n`);
    await run('ANALYZE history_v1.messages');
    const kept = await api.database.pool.query({
      text: `EXPLAIN ${KEPT}`,
      values: [[systemIds.uploadId()], [conversationId]],
    });
    const plan = kept.rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toContain('messages_attachments');
  });

  it('does not decide before the history holds everything that could refer to an upload', async () => {
    await projectAll(api);
    const id = await store();
    await attach(id);
    // In the log, and not in the history yet.
    expect(await sweep()).toMatchObject({ abandoned: 0, undecided: 1 });
    await projectAll(api);
    expect(await sweep()).toMatchObject({ abandoned: 0, undecided: 0 });
    expect(await isThere(id)).toBe(true);
  });

  it('needs a history of this log, with all its groups, and nobody halted on it', async () => {
    const id = await store();
    expect(await sweep()).toMatchObject({ abandoned: 0, undecided: 1 });
    await projectAll(api);
    const halted = `INSERT INTO projection_workers (projection, worker, state, seen_until)
      VALUES ('history', 'w', 'halted', now() + interval '1 hour')`;
    await run(halted);
    expect(await sweep()).toMatchObject({ abandoned: 0, undecided: 1 });
    await run("DELETE FROM projection_workers WHERE worker = 'w'");
    await run("UPDATE projection_versions SET epoch = 'other' WHERE projection = 'history'");
    expect(await sweep()).toMatchObject({ abandoned: 0, undecided: 1 });
    await run(`UPDATE projection_versions SET epoch = '${api.log.epoch}' WHERE projection = 'history'`);
    await run("DELETE FROM projection_checkpoints WHERE projection = 'history' AND partition_group = 3");
    expect(await sweep()).toMatchObject({ abandoned: 0, undecided: 1 });
    expect(await isThere(id)).toBe(true);
  });

  it.each([
    `INSERT INTO parked_conversations (projection, version, conversation_id, partition_group, seq, error, attempts)
     VALUES ('history', 1, $c, 0, 1, 'x', 1)`,
    `INSERT INTO audit_findings (read_model, conversation_id, in_log, in_read_model) VALUES ('history', $c, 1, 0)`,
  ])('keeps uploads of a conversation that the history is not sure of', async (statement) => {
    const id = await store();
    await projectAll(api);
    await run(statement.replace('$c', `'${conversationId}'`));
    expect(await sweep()).toMatchObject({ abandoned: 0 });
    expect(await isThere(id)).toBe(true);
  });

  it('removes what a message referred to that was deleted since', async () => {
    const id = await store();
    const { messageId } = await attach(id);
    await api.call('DELETE', `/api/chat/messages/${messageId}`, { conversationId, userId: 'alice' });
    await projectAll(api);
    expect(await sweep()).toMatchObject({ abandoned: 1 });
  });

  it('removes what a process that died mid-upload has left, after an hour', async () => {
    await opened.store.begin(systemIds.uploadId()).write(uploadBytes(2 * CHUNK_BYTES));
    await waitFor('the chunks', async () => (await opened.store.usage()).bytes > 2 * CHUNK_BYTES);
    laterMs = 0.9 * HOUR_MS;
    expect(await sweep()).toMatchObject({ leftovers: 0 });
    laterMs = 1.1 * HOUR_MS;
    expect(await sweep()).toMatchObject({ leftovers: 1 });
    expect((await opened.store.usage()).bytes).toBe(0);
  });

  it('by several processes at once removes what one would', async () => {
    const used = await store();
    for (let n = 0; n < 5; n++) await store();
    await attach(used);
    await projectAll(api);
    await Promise.all([sweep(), sweep(), sweep()]);
    expect(await isThere(used)).toBe(true);
    const survey = await opened.store.survey({
      after: 0,
      storedBeforeMs: Date.now() + HOUR_MS,
      leftBeforeMs: 0,
    });
    expect(survey.uploads).toEqual([used]);
  });

  it('ends the time in which an upload can be attached before it may remove it', async () => {
    const uploadedAtMs = Date.now() - 23.5 * HOUR_MS;
    const { id } = await storeUpload(opened.store, uploadBytes(5), { conversationId, uploadedAtMs });
    await expect(attach(id)).rejects.toMatchObject({
      code: 'invalid_request',
      errors: [{ path: 'attachments.0', reason: 'was uploaded too long ago: upload it again' }],
    });
  });
});

it('the sweeper goes on round by round, tells what it did, survives a fault, and stops', async () => {
  const time = new ManualTime();
  const events: SweepEvent[] = [];
  const sweeper = new UploadSweeper({
    ...options(),
    timers: time,
    random: () => 0.5,
    onEvent: (event) => events.push(event),
    everyMs: 1_000,
  });
  sweeper.start();
  await store();
  await projectAll(api);
  await time.advance(999);
  expect(events).toEqual([]);
  await time.advance(1);
  await waitFor('a round', () => events.length === 1);
  expect(events[0]).toMatchObject({ type: 'uploadsSwept', abandoned: 1 });
  await waitFor('the rest', () => time.pending === 1);
  await nats.kill9();
  await time.advance(1_000);
  // A walk that was under way ends after ten seconds of silence.
  await waitFor('a failed round', () => events.length === 2);
  expect(events[1]).toMatchObject({ type: 'sweepFailed' });
  await waitFor('the rest', () => time.pending === 1);
  await nats.restart();
  await time.advance(1_000);
  await waitFor('a round again', () => events.length === 3);
  await sweeper.stop();
  expect(time.pending).toBe(0);
});
