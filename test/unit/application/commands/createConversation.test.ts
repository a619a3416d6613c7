import { beforeEach, expect, test } from 'vitest';
import { removeParticipants } from '../../../../src/application/commands/changeParticipants.ts';
import { createConversation } from '../../../../src/application/commands/createConversation.ts';
import { renameConversation } from '../../../../src/application/commands/renameConversation.ts';
import { MemoryEventLog } from '../../../../src/eventlog/memory/memoryEventLog.ts';
import { UnknownOutcomeError } from '../../../../src/ports/eventLog.ts';
import {
  type MemoryContext,
  processOn,
  storedEvents,
  toldBy,
  withLog,
} from '../../../support/application/application.ts';

let memory: MemoryEventLog;
let context: MemoryContext;

beforeEach(() => {
  memory = new MemoryEventLog();
  context = processOn(memory);
});

const wanted = { userId: 'alice', title: 'Tea', visibility: 'members', participantIds: ['bob'] } as const;
const create = (by: MemoryContext, change: Partial<Parameters<typeof createConversation>[1]> = {}) =>
  createConversation(by, { ...wanted, clientConversationId: 'k1', ...change });

/** Another process, after the log has forgotten the keys of its window for repeats. */
const later = () =>
  processOn(memory, (log) =>
    withLog(log, { append: (request) => log.append({ ...request, idempotencyKey: `${Math.random()}` }) }),
  );

test.each([
  ['the same process', () => context],
  ['another process', () => processOn(memory)],
  ['a process after the window of the log', later],
])('a repeat to %s is the same conversation, stored once', async (_, process) => {
  const first = await create(context);
  expect(first.duplicate).toBe(false);
  expect(await create(process())).toEqual({ ...first, duplicate: true });
  expect(await toldBy(create(process(), { title: 'Milk' }))).toMatchObject({ code: 'conflict', status: 409 });
  expect(await storedEvents(memory)).toHaveLength(1);
});

test('requests at the same time make one conversation', async () => {
  const all = await Promise.all([create(context), create(processOn(memory)), create(later())]);
  expect(new Set(all.map(({ conversationId }) => conversationId)).size).toBe(1);
  expect(all.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
});

test('a repeat shows the conversation as it is now, and nothing of it to one who has left', async () => {
  const { conversationId } = await create(context);
  await renameConversation(context, { conversationId, userId: 'bob', title: 'Coffee' });
  expect(await create(later())).toMatchObject({ seq: 2, state: { title: 'Coffee' }, duplicate: true });
  await removeParticipants(context, { conversationId, userId: 'alice', participantIds: ['alice'] });
  expect(await toldBy(create(later()))).toMatchObject({ code: 'conflict' });
});

test('a retry after an unknown outcome finds the conversation that was stored after all', async () => {
  const silent = processOn(memory, (log) =>
    withLog(log, {
      append: async (request) => {
        await log.append(request);
        throw new UnknownOutcomeError('the answer was lost');
      },
    }),
  );
  expect(await toldBy(create(silent))).toMatchObject({ code: 'unknown_outcome', retryable: true });
  await expect(create(context)).resolves.toMatchObject({ seq: 1, duplicate: true });
});

test('without a key every request is a new conversation', async () => {
  const [one, two] = [
    await create(context, { clientConversationId: undefined }),
    await create(context, { clientConversationId: undefined }),
  ];
  expect(one.conversationId).not.toBe(two.conversationId);
});
