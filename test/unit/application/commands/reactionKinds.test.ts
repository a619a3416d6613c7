import { beforeEach, describe, expect, it } from 'vitest';
import { changeReaction } from '../../../../src/application/commands/changeReaction.ts';
import { type PostedMessage, postMessage } from '../../../../src/application/commands/postMessage.ts';
import { openApplication } from '../../../../src/application/context.ts';
import { REACTION_KINDS_MAX } from '../../../../src/domain/conversation/message.ts';
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

let memory: MemoryEventLog;
let context: MemoryContext;
let conversationId: string;
let message: PostedMessage;

beforeEach(async () => {
  memory = new MemoryEventLog();
  context = processOn(memory);
  conversationId = await conversationOf(context);
  message = await postMessage(context, { conversationId, userId: 'alice', content: 'hello' });
});

const react = (by: MemoryContext, emoji: string, userId = 'bob', add = true) =>
  changeReaction(by, { conversationId, userId, messageId: message.messageId, seq: message.seq, emoji, add });
const kind = (n: number) => `:kind-${n}:`;
const kinds = (count: number) => Array.from({ length: count }, (_, n) => kind(n));

const stored = async () =>
  new Set(
    (await storedEvents(memory)).flatMap((event) => (event.type === 'ReactionAdded' ? [event.emoji] : [])),
  );

describe('a message with as many kinds of reactions as it takes', () => {
  beforeEach(async () => {
    for (const emoji of kinds(REACTION_KINDS_MAX)) await react(context, emoji);
  });

  it.each([
    ['the process that stored them', () => context],
    ['any other', () => processOn(memory)],
  ])('is given no further kind by %s', async (_, process) => {
    expect(await toldBy(react(process(), '👍'))).toMatchObject({ code: 'conflict', status: 409 });
    expect((await stored()).size).toBe(REACTION_KINDS_MAX);
  });

  it('takes those that are there from anybody', async () => {
    await expect(react(context, kind(7), 'alice')).resolves.toMatchObject({ messageId: message.messageId });
    await expect(react(processOn(memory), kind(7), 'alice')).resolves.toBeDefined();
  });

  it('takes another one when one was taken back, by whichever process', async () => {
    await react(processOn(memory), kind(7), 'bob', false);
    await expect(react(context, '👍')).resolves.toBeDefined();
    expect(await toldBy(react(context, '🎉'))).toMatchObject({ code: 'conflict' });
  });

  it('lets all of them be taken back', async () => {
    for (const emoji of kinds(REACTION_KINDS_MAX)) await react(context, emoji, 'bob', false);
    await expect(react(context, '👍')).resolves.toBeDefined();
  });
});

describe('requests at the same time', () => {
  it('store no more kinds than a message takes', async () => {
    const all = await Promise.allSettled(kinds(200).map((emoji) => react(context, emoji)));
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(REACTION_KINDS_MAX);
    expect((await stored()).size).toBe(REACTION_KINDS_MAX);
  });

  it('that were not stored take no place', async () => {
    let away = true;
    const faulty = processOn(memory, (log) =>
      withLog(log, {
        append: (request) => (away ? Promise.reject(new LogUnavailableError('down')) : log.append(request)),
      }),
    );
    await Promise.allSettled(kinds(200).map((emoji) => react(faulty, emoji)));
    away = false;
    await expect(react(faulty, '👍')).resolves.toBeDefined();
  });
});

it('a message whose reactions cannot be read takes what the log takes', async () => {
  const { feed, ...rest } = processOn(memory);
  const silent = { ...feed, follow: () => Promise.reject(new LogUnavailableError('silence')) };
  const unreadable = { ...rest, ...openApplication({ ...rest, feed: silent }) };
  await expect(react(unreadable, '👍')).resolves.toBeDefined();
});

it('a message is not full for what was said of another one', async () => {
  const other = await postMessage(context, { conversationId, userId: 'alice', content: 'other' });
  for (const emoji of kinds(REACTION_KINDS_MAX)) await react(context, emoji);
  const { messageId, seq } = other;
  const request = { conversationId, userId: 'bob', messageId, seq, emoji: '👍', add: true };
  await expect(changeReaction(context, request)).resolves.toMatchObject({ messageId });
});
