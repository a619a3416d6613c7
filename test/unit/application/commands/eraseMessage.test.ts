import { beforeEach, describe, expect, test } from 'vitest';
import { removeParticipants } from '../../../../src/application/commands/changeParticipants.ts';
import { changeReaction } from '../../../../src/application/commands/changeReaction.ts';
import { deleteMessage } from '../../../../src/application/commands/deleteMessage.ts';
import { editMessage } from '../../../../src/application/commands/editMessage.ts';
import { eraseUserMessages } from '../../../../src/application/commands/eraseUserMessages.ts';
import { type PostedMessage, postMessage } from '../../../../src/application/commands/postMessage.ts';
import { encodeEvent } from '../../../../src/contracts/events/events.ts';
import { MemoryEventLog } from '../../../../src/eventlog/memory/memoryEventLog.ts';
import { findMessageInLog, findUserInLog } from '../../../../src/maintenance/erasure/findInLog.ts';
import { type EventLog, LogUnavailableError } from '../../../../src/ports/eventLog.ts';
import {
  conversationOf,
  type MemoryContext,
  processOn,
  storedEvents,
  toldBy,
  withLog,
} from '../../../support/application/application.ts';
import { storeUpload } from '../../../support/http/uploads.ts';

let memory: MemoryEventLog;
let context: MemoryContext;
let conversationId: string;
let message: PostedMessage;

beforeEach(async () => {
  memory = new MemoryEventLog({ epoch: 'e1' });
  context = processOn(memory);
  conversationId = await conversationOf(context);
  message = await postMessage(context, { conversationId, userId: 'alice', content: 'my secret' });
  const mine = { conversationId, userId: 'alice', messageId: message.messageId };
  await postMessage(context, { conversationId, userId: 'bob', content: 'kept', replyTo: message.messageId });
  await editMessage(context, { ...mine, content: 'my secret, edited' });
  await changeReaction(context, { ...mine, userId: 'bob', emoji: '👍', add: true });
  // The same message again, as the log takes it when its window for repeats is over.
  const { event } = message;
  const repeat = { conversationId, category: 'message', bytes: encodeEvent(event) } as const;
  await memory.append({ ...repeat, idempotencyKey: 'later' });
});

const named = () => ({ conversationId, userId: 'alice', messageId: message.messageId });
const stored = async () => JSON.stringify(await storedEvents(memory));
/** The log, for which taking out this sequence fails once. */
const failingAt = (log: EventLog, broken: number) => {
  let failures = 0;
  const erase = (seq: number) => {
    if (seq !== broken || failures++ > 0) return log.erase(seq);
    return Promise.reject(new LogUnavailableError('away'));
  };
  return withLog(log, { erase });
};

test('an erased message is gone from the log with its edits and repeats; what others said stays', async () => {
  const deleted = await deleteMessage(context, { ...named(), erase: true });
  expect(deleted).toMatchObject({ messageId: message.messageId, seq: 7, erased: 3 });
  expect(await stored()).not.toContain('secret');
  const types = (await storedEvents(memory)).map(({ type }) => type);
  expect(types).toEqual(['ConversationCreated', 'MessagePosted', 'ReactionAdded', 'MessageDeleted']);
  const { userId, at } = message.event;
  expect((await storedEvents(memory)).at(-1)).toMatchObject({
    type: 'MessageDeleted',
    erased: { seq: 2, userId, replyTo: null, at },
  });
});

test('an erasure that names a repeat takes the first event as well', async () => {
  const repeat = (await memory.status()).lastSeq;
  const deleted = await deleteMessage(context, { ...named(), seq: repeat, erase: true });
  expect(deleted).toMatchObject({ erased: 3 });
  expect(await stored()).not.toContain('secret');
  expect((await storedEvents(memory)).at(-1)).toMatchObject({ type: 'MessageDeleted', erased: { seq: 2 } });
});

test('a message that is only deleted stays in the log', async () => {
  expect(await deleteMessage(context, { ...named(), erase: false })).toMatchObject({ erased: 0 });
  expect(await stored()).toContain('secret');
});

test('an erased message is not found any more', async () => {
  await deleteMessage(context, { ...named(), erase: true });
  const again = deleteMessage(context, { ...named(), erase: true });
  expect(await toldBy(again)).toMatchObject({ code: 'not_found' });
});

test.each([2, 4, 6])(
  'erasing that failed half-way, at event %i, is gone on with by asking again',
  async (seq) => {
    const faulty = processOn(memory, (log) => failingAt(log, seq));
    const first = deleteMessage(faulty, { ...named(), erase: true });
    expect(await toldBy(first)).toMatchObject({ code: 'log_unavailable', retryable: true });
    expect(await stored()).toContain('secret');
    await deleteMessage(faulty, { ...named(), erase: true });
    expect(await stored()).not.toContain('secret');
  },
);

test('an edit that was under way while the message was erased is erased too', async () => {
  const late = processOn(memory, (log) =>
    withLog(log, {
      erase: async (seq) => {
        if (seq === message.seq) await editMessage(context, { ...named(), content: 'secret still' });
        return log.erase(seq);
      },
    }),
  );
  expect(await deleteMessage(late, { ...named(), erase: true })).toMatchObject({ erased: 4 });
  expect(await stored()).not.toContain('secret');
});

test('an author who has left erases what they said, also when nobody is left; others find nothing there', async () => {
  const leave = (userId: string) =>
    removeParticipants(context, { conversationId, userId, participantIds: [userId] });
  await leave('alice');
  await leave('bob');
  for (const userId of ['bob', 'eve']) {
    const foreign = deleteMessage(processOn(memory), { ...named(), userId, erase: true });
    expect(await toldBy(foreign)).toMatchObject({ code: 'not_found' });
  }
  await deleteMessage(processOn(memory), { ...named(), erase: true });
  expect(await stored()).not.toContain('secret');
});

describe('erasing all that a user said', () => {
  const erase = (by: MemoryContext = context) => eraseUserMessages(by, conversationId, 'alice');

  test('takes messages, edits, repeats and files; what others said stays', async () => {
    const { id } = await storeUpload(context.attachments, new Uint8Array(9), {
      conversationId,
      uploadedAtMs: Date.parse('2026-01-01T00:00:00.000Z'),
    });
    const content = 'another secret';
    await postMessage(context, { conversationId, userId: 'alice', content, attachments: [id] });
    expect(await erase()).toEqual({ messages: 2, events: 4 });
    expect(await stored()).not.toContain('secret');
    expect(await stored()).toContain('kept');
    expect(await context.attachments.find(id)).toBeNull();
    const buried = (await storedEvents(memory)).filter(({ type }) => type === 'MessageDeleted');
    expect(buried).toMatchObject([
      { userId: 'operator', erased: { seq: 2, userId: 'alice' } },
      { userId: 'operator', erased: { userId: 'alice' } },
    ]);
  });

  test('that failed half-way goes on when asked again, and then finds nothing more', async () => {
    const faulty = processOn(memory, (log) => failingAt(log, 4));
    expect(await toldBy(erase(faulty))).toMatchObject({ code: 'log_unavailable' });
    await erase(faulty);
    expect(await stored()).not.toContain('secret');
    expect(await erase(faulty)).toEqual({ messages: 0, events: 0 });
  });

  test('takes an edit that comes while it runs', async () => {
    const late = processOn(memory, (log) =>
      withLog(log, {
        erase: async (seq) => {
          if (seq === message.seq) await editMessage(context, { ...named(), content: 'secret still' });
          return log.erase(seq);
        },
      }),
    );
    await erase(late);
    expect(await stored()).not.toContain('secret');
  });

  test('finds where the user said something, and where a message is, in the log alone', async () => {
    const elsewhere = await conversationOf(context);
    await postMessage(context, { conversationId: elsewhere, userId: 'bob', content: 'I am not "alice"' });
    const progress: number[] = [];
    const found = await findUserInLog(context, 'alice', ({ read }) => progress.push(read));
    expect([...found]).toEqual([[conversationId, 3]]);
    expect(progress.length).toBeGreaterThan(3);
    const { messageId, seq } = message;
    expect(await findMessageInLog(context, messageId, () => {})).toEqual({ conversationId, seq });
    expect(await findMessageInLog(context, `m_${'x'.repeat(22)}`, () => {})).toBeNull();
  });
});
