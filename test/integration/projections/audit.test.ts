import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AuditEvent, Auditor } from '../../../src/maintenance/audit/auditor.ts';
import { type AuditStep, auditStep } from '../../../src/maintenance/audit/auditStep.ts';
import { systemTimers } from '../../../src/platform/time/timers.ts';
import { openProjectedLog } from '../../support/projections/projectedLog.ts';
import { CONVERSATIONS, historyOf } from '../../support/projections/randomHistory.ts';
import { waitFor } from '../../support/time/waitFor.ts';

let system: Awaited<ReturnType<typeof openProjectedLog>>;
const { events } = historyOf(
  Array.from({ length: 40 }, (_, n) => [n % 7 === 6 ? 'edit' : 'post', n % 4, n % 3, n % 8, 1]),
);

beforeEach(async () => {
  system = await openProjectedLog();
  await system.append(...events);
  system.start();
  await system.caughtUp();
});
afterEach(() => system.close());

const step = (more: { owner?: string; conversationsPerStep?: number; messagesMax?: number } = {}) =>
  auditStep({ log: system.log, feed: system.log, pool: system.pool, owner: 'me', ...more });

async function pass(more: Parameters<typeof step>[0] = {}): Promise<AuditStep[]> {
  const steps: AuditStep[] = [];
  do steps.push(await step(more));
  while (steps.at(-1)?.passDone === false);
  return steps;
}

const findings = async () =>
  (
    await system.pool.query(
      'SELECT conversation_id, in_log::int, in_read_model::int FROM audit_findings ORDER BY conversation_id',
    )
  ).rows;

test('a whole pass over what agrees finds nothing, each conversation compared once', async () => {
  const steps = await pass({ conversationsPerStep: 3 });
  expect(steps.map(({ compared }) => compared)).toEqual([3, 1]);
  expect(steps.every(({ outcome }) => outcome === 'audited')).toBe(true);
  expect(await findings()).toEqual([]);
  const [row] = (await system.pool.query('SELECT cursor_seq::int, last_pass_at FROM audit_progress')).rows;
  expect(row).toMatchObject({ cursor_seq: 0, last_pass_at: expect.any(Date) });
});

test.each([
  ['a message is missing', 'DELETE FROM history_v1.messages WHERE conversation_id = $1 AND ordinal = 2', -1],
  ['a text is another', `UPDATE history_v1.messages SET content = 'x' WHERE conversation_id = $1`, 0],
  ['a participant is missing', 'DELETE FROM history_v1.participants WHERE conversation_id = $1', 0],
  ['a conversation is missing', 'DELETE FROM history_v1.conversations WHERE id = $1', 0],
  [
    'the count is wrong',
    'UPDATE history_v1.messages SET ordinal = ordinal + 1 WHERE conversation_id = $1',
    0,
  ],
])('%s: found once, and forgotten when it is right again', async (_what, damage, missing) => {
  const [, damaged = ''] = CONVERSATIONS;
  for (const relation of ['conversations', 'messages', 'participants']) {
    await system.pool.query(`CREATE TABLE saved_${relation} AS SELECT * FROM history_v1.${relation}`);
  }
  await system.pool.query(damage, [damaged]);
  const steps = await pass();
  expect(steps.flatMap(({ found }) => found)).toEqual([damaged]);
  const [finding] = await findings();
  expect(finding.conversation_id).toBe(damaged);
  expect(finding.in_read_model - finding.in_log).toBe(missing);
  expect((await pass()).flatMap(({ found }) => found)).toEqual([]);
  for (const relation of ['conversations', 'messages', 'participants']) {
    await system.pool.query(`TRUNCATE history_v1.${relation}`);
    await system.pool.query(`INSERT INTO history_v1.${relation} SELECT * FROM saved_${relation}`);
  }
  // The next step compares findings again, wherever it is.
  await step({ conversationsPerStep: 1 });
  expect(await findings()).toEqual([]);
});

test('what is on its way is no finding, nor what waits aside', async () => {
  const broken = { conversationId: CONVERSATIONS[0], category: 'message' } as const;
  await system.log.append({ ...broken, bytes: Buffer.from('no JSON'), idempotencyKey: 'broken' });
  for (let n = 0; n < 30; n++) {
    await system.append(...events.slice(4).map((event) => ({ ...event })));
    expect((await step({ conversationsPerStep: 2 })).different).toEqual([]);
  }
  await system.caughtUp();
  expect((await system.pool.query('SELECT FROM parked_conversations')).rowCount).toBe(1);
  expect((await pass()).flatMap(({ different }) => different)).toEqual([]);
});

test('one process audits at a time; a conversation that is too long is left to verify', async () => {
  expect(await step()).toMatchObject({ outcome: 'audited', compared: 4 });
  expect(await step({ owner: 'other' })).toMatchObject({ outcome: 'busy', compared: 0 });
  expect(await step({ messagesMax: 1 })).toMatchObject({ outcome: 'audited', compared: 0 });
});

test('without a read model of this log there is nothing to compare', async () => {
  await system.pool.query(`UPDATE projection_versions SET epoch = 'before'`);
  expect(await step()).toMatchObject({ outcome: 'waiting' });
});

test('the auditor goes on by itself, reports what it finds, and lets go when it stops', async () => {
  const reported: AuditEvent[] = [];
  const auditor = new Auditor({
    ...{ log: system.log, feed: system.log, pool: system.pool, owner: 'me', timers: systemTimers },
    ...{ restMs: 10, onEvent: (event: AuditEvent) => reported.push(event) },
  });
  auditor.start();
  await system.pool.query('DELETE FROM history_v1.messages WHERE ordinal = 2');
  await waitFor('the findings', () => reported.length > 0);
  await auditor.stop();
  expect(reported).toEqual([
    { type: 'auditFound', conversations: expect.arrayContaining([...CONVERSATIONS]) },
  ]);
  expect(await step({ owner: 'other' })).toMatchObject({ outcome: 'audited' });
});
