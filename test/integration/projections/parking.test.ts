import { afterEach, beforeEach, expect, test } from 'vitest';
import { groupOf } from '../../../src/contracts/events/subjects.ts';
import type { ChatEvent, MessagePosted } from '../../../src/domain/conversation/events.ts';
import { MemoryEventLog } from '../../../src/eventlog/memory/memoryEventLog.ts';
import { appendEvents } from '../../support/projections/appendEvents.ts';
import {
  firstFailure,
  type HistoryRunners,
  openHistoryRunners,
} from '../../support/projections/historyRunners.ts';
import {
  CONVERSATION_PAIR,
  numberedMessageId,
  type SmallStep,
  smallHistory,
} from '../../support/projections/smallHistory.ts';
import { waitFor } from '../../support/time/waitFor.ts';

let history: HistoryRunners;

beforeEach(async () => {
  history = await openHistoryRunners();
});
afterEach(() => history.close());

test.each([
  ['in the batch', 100],
  ['before the batch', 1],
])(
  'an event with the id of a message %s that is not its own waits aside, saying whose it is',
  async (_, batchMax) => {
    const log = new MemoryEventLog();
    const [created, , posted] = smallHistory([[0, 0, 0, 1]]) as [ChatEvent, ChatEvent, MessagePosted];
    // Of the same partition group, and so of the same batch.
    const conversationId = 'c_eeeeeeeeeeeeeeeeeeeee';
    expect(groupOf(conversationId)).toBe(groupOf(posted.conversationId));
    for (const event of [created, { ...created, conversationId }, posted]) await appendEvents(log, event);
    const forged = await appendEvents(log, { ...posted, conversationId });
    await appendEvents(log, { ...posted, messageId: numberedMessageId(98), clientMessageId: 'after' });
    const waiting = await appendEvents(log, { ...posted, conversationId, messageId: numberedMessageId(99) });
    const { runner } = history.start(log, batchMax);
    await waitFor('all to be projected', () => runner.checkpoint === waiting);
    const parked = await history.pool.query(
      'SELECT conversation_id, seq::int, error FROM parked_conversations',
    );
    expect(parked.rows).toMatchObject([{ conversation_id: conversationId, seq: forged }]);
    expect(parked.rows[0].error).toMatch(
      /^Event 4 \(MessagePosted\) of c_e.* is that of another message, from bob in c_a.* wrote it\. When .*parked retry history c_e/,
    );
    const shown = await history.pool.query('SELECT conversation_id, message_id FROM messages ORDER BY seq');
    expect(shown.rows).toEqual([
      { conversation_id: posted.conversationId, message_id: posted.messageId },
      { conversation_id: posted.conversationId, message_id: numberedMessageId(98) },
    ]);
  },
);

test('an event of a type that is not known halts the projection before it, until an operator says to go on', async () => {
  const log = new MemoryEventLog();
  await appendEvents(log, ...smallHistory([[0, 0, 0, 1]]));
  const bytes = new TextEncoder().encode('{"type":"MessageBurnt","v":9}');
  const conversationId = CONVERSATION_PAIR[0] ?? '';
  await log.append({ conversationId, category: 'message', bytes, idempotencyKey: 'burnt' });
  await appendEvents(log, smallHistory([[0, 0, 1, 5]]).at(-1) as ChatEvent);
  const { runner, events } = history.start(log);
  await waitFor('the runner to halt', () => runner.state === 'halted');
  expect(await history.checkpointOf(conversationId)).toBe(3);
  expect(firstFailure(events)).toMatch(/Event 4 of the log cannot be read/);
  await history.pool.query(`INSERT INTO projection_controls VALUES ('history', false, 1)`);
  await waitFor(
    'the runner to try again',
    () => events.filter(({ type }) => type === 'projectionFailed').length > 1,
  );
});

test('a conversation with an event that cannot be read waits aside, and everything else flows', async () => {
  const log = new MemoryEventLog();
  await appendEvents(log, ...smallHistory([[0, 0, 0, 1]]));
  const bytes = new TextEncoder().encode('no JSON');
  const [conversationId = ''] = CONVERSATION_PAIR;
  await log.append({ conversationId, category: 'message', bytes, idempotencyKey: 'broken' });
  for (const step of [
    [0, 0, 0, 2],
    [0, 1, 0, 5],
  ] as SmallStep[])
    await appendEvents(log, smallHistory([step]).at(-1) as ChatEvent);
  const { runner } = history.start(log);
  await waitFor('all to be projected', () => runner.checkpoint === 6);
  const parked = await history.pool.query(
    'SELECT conversation_id, seq::int, error, attempts FROM parked_conversations',
  );
  expect(parked.rows).toMatchObject([{ conversation_id: conversationId, seq: 4, attempts: 1 }]);
  expect(parked.rows[0].error).toMatch(/Event 4 .*parked retry history c_a/);
  const counts = await history.pool.query(
    'SELECT conversation_id, count(*)::int AS n FROM messages GROUP BY 1 ORDER BY 1',
  );
  expect(counts.rows.map(({ n }) => n)).toEqual([1, 1]);
  // Nothing has changed: it is tried again, and waits on.
  await history.pool.query('UPDATE parked_conversations SET retry_requested_at = now()');
  await waitFor('another attempt', async () => {
    const [row] = (await history.pool.query('SELECT attempts, retry_requested_at FROM parked_conversations'))
      .rows;
    return row.attempts === 2 && row.retry_requested_at === null;
  });
});

test('messages of a conversation that does not exist wait aside; when it does, a retry drains them in order', async () => {
  const log = new MemoryEventLog();
  const events = smallHistory([
    [0, 0, 0, 1],
    [0, 0, 0, 2],
    [2, 0, 0, 1],
    [0, 1, 0, 3],
  ]);
  const [created, other, ...messages] = events;
  if (created === undefined || other === undefined)
    throw new Error('A history begins with its conversations');
  for (const event of [other, ...messages]) await appendEvents(log, event);
  const { runner } = history.start(log, 2);
  await waitFor('all to be projected', () => runner.checkpoint === 5);
  expect((await history.pool.query('SELECT seq::int FROM messages')).rows).toEqual([{ seq: 5 }]);
  const [parked] = (await history.pool.query('SELECT seq::int, error FROM parked_conversations')).rows;
  expect(parked).toMatchObject({
    seq: 2,
    error: expect.stringMatching(/Event 2 \(MessagePosted\).*ordinal/),
  });
  // More of it waits after it, and then what is missing is brought in from elsewhere.
  await appendEvents(log, {
    ...(messages[0] as ChatEvent & { type: 'MessagePosted' }),
    messageId: numberedMessageId(99),
  });
  await waitFor('it to be passed over', () => runner.checkpoint === 6);
  await history.pool.query(
    `INSERT INTO history_v1.conversations (id, visibility, created_by, created_at, archived, participant_ids, state_seq)
     VALUES ($1, 'open', 'alice', $2, false, '{alice}', 1)`,
    [created.conversationId, created.at],
  );
  await history.pool.query('UPDATE parked_conversations SET retry_requested_at = now()');
  await waitFor(
    'the retry',
    async () => (await history.pool.query('SELECT FROM parked_conversations')).rowCount === 0,
  );
  const rows = await history.pool.query('SELECT seq::int, ordinal::int, content FROM messages ORDER BY seq');
  expect(rows.rows).toMatchObject([
    { seq: 2, ordinal: 1, content: 'edit 2' },
    { seq: 3, ordinal: 2 },
    { seq: 5 },
    { seq: 6, ordinal: 3 },
  ]);
});
