import { beforeEach, describe, expect, it } from 'vitest';
import { changeReaction } from '../../../../src/application/commands/changeReaction.ts';
import { deleteMessage } from '../../../../src/application/commands/deleteMessage.ts';
import { editMessage } from '../../../../src/application/commands/editMessage.ts';
import { type PostedMessage, postMessage } from '../../../../src/application/commands/postMessage.ts';
import { MemoryEventLog } from '../../../../src/eventlog/memory/memoryEventLog.ts';
import { LogUnavailableError } from '../../../../src/ports/eventLog.ts';
import {
  conversationOf,
  type MemoryContext,
  processOn,
  storedEvents,
  toldBy,
  withLog,
} from '../../../support/application/application.ts';
import { M1 } from '../../../support/domain/conversations.ts';

let memory: MemoryEventLog;
let context: MemoryContext;
let conversationId: string;
let message: PostedMessage;

beforeEach(async () => {
  memory = new MemoryEventLog({ epoch: 'e1' });
  context = processOn(memory);
  conversationId = await conversationOf(context);
  message = await postMessage(context, { conversationId, userId: 'alice', content: 'helo' });
  await postMessage(context, { conversationId, userId: 'bob', content: 'hi' });
});

const lastStored = async () => (await storedEvents(memory)).at(-1);

describe.each([
  ['with its seq', () => message.seq],
  ['without its seq', () => undefined],
])('a message, named %s', (_how, seqOf) => {
  const named = (userId: string) => ({
    conversationId,
    userId,
    messageId: message.messageId,
    seq: seqOf(),
  });

  it('is edited by its author', async () => {
    const changed = await editMessage(context, { ...named('alice'), content: 'hello' });
    expect(changed).toMatchObject({ messageId: message.messageId, seq: 4, position: 'e1:4' });
    const { messageId } = message;
    expect(await lastStored()).toMatchObject({
      type: 'MessageEdited',
      messageId,
      content: 'hello',
      at: changed.at,
    });
  });

  it('is edited as often as its author likes', async () => {
    await editMessage(context, { ...named('alice'), content: 'hello' });
    await editMessage(context, { ...named('alice'), content: 'hello' });
    expect((await storedEvents(memory)).filter(({ type }) => type === 'MessageEdited')).toHaveLength(2);
  });

  it('is deleted by its author', async () => {
    await deleteMessage(context, { ...named('alice'), erase: false });
    const { messageId } = message;
    expect(await lastStored()).toMatchObject({ type: 'MessageDeleted', messageId, userId: 'alice' });
  });

  it('is reacted to by anybody who is there, and the reaction taken back', async () => {
    for (const [add, type] of [
      [true, 'ReactionAdded'],
      [false, 'ReactionRemoved'],
    ] as const) {
      const changed = await changeReaction(context, { ...named('bob'), emoji: '🎉', add });
      expect(await lastStored()).toMatchObject({
        type,
        messageId: message.messageId,
        userId: 'bob',
        emoji: '🎉',
        at: changed.at,
      });
    }
  });

  it('is neither edited nor deleted by anybody else', async () => {
    const edit = editMessage(context, { ...named('bob'), content: 'mine' });
    expect(await toldBy(edit)).toMatchObject({ code: 'forbidden', status: 403 });
    expect(await toldBy(deleteMessage(context, { ...named('bob'), erase: false }))).toMatchObject({
      code: 'forbidden',
      status: 403,
    });
    expect(await storedEvents(memory)).toHaveLength(3);
  });
});

describe('a message that is not there', () => {
  const edit = (seq?: number, messageId = M1, id = conversationId) =>
    toldBy(editMessage(context, { conversationId: id, userId: 'alice', messageId, seq, content: 'x' }));

  it('is not found by its id', async () => {
    expect(await edit()).toMatchObject({ code: 'not_found' });
  });

  it('is not found in a conversation without messages', async () => {
    expect(await edit(undefined, message.messageId, await conversationOf(context))).toMatchObject({
      code: 'not_found',
    });
  });

  it.each([
    ['before the log', 0],
    ['of another message', 3],
    ['of no message', 1],
    ['past the end', 999],
  ])('is not found at a seq %s', async (_where, seq) => {
    expect(await edit(seq, message.messageId)).toMatchObject({ code: 'not_found' });
  });

  it('is not found through another conversation', async () => {
    const other = await conversationOf(context);
    expect(await edit(message.seq, message.messageId, other)).toMatchObject({ code: 'not_found' });
    expect(await storedEvents(memory)).toHaveLength(4);
  });
});

describe('looking for a message', () => {
  it('goes through a conversation that is longer than what is read at once, past others', async () => {
    const other = await conversationOf(context);
    for (let i = 0; i < 600; i++) {
      await postMessage(context, {
        conversationId: i % 2 ? other : conversationId,
        userId: 'bob',
        content: `${i}`,
      });
    }
    const last = await postMessage(context, { conversationId, userId: 'alice', content: 'last' });
    const named = { conversationId, userId: 'alice', messageId: last.messageId };
    await editMessage(context, { ...named, content: 'at last' });
    expect(await lastStored()).toMatchObject({ messageId: last.messageId, content: 'at last' });
  });

  it('tells when the log does not answer', async () => {
    const down = processOn(memory, (log) =>
      withLog(log, { latest: () => Promise.reject(new LogUnavailableError('down')) }),
    );
    const named = { conversationId, userId: 'alice', messageId: message.messageId };
    expect(await toldBy(deleteMessage(down, { ...named, erase: false }))).toMatchObject({
      code: 'log_unavailable',
    });
  });
});
