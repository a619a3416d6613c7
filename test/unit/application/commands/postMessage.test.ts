import { beforeEach, describe, expect, it } from 'vitest';
import { archiveConversation } from '../../../../src/application/commands/archiveConversation.ts';
import {
  addParticipants,
  removeParticipants,
} from '../../../../src/application/commands/changeParticipants.ts';
import { deleteMessage } from '../../../../src/application/commands/deleteMessage.ts';
import { editMessage } from '../../../../src/application/commands/editMessage.ts';
import { postMessage } from '../../../../src/application/commands/postMessage.ts';
import { openApplication } from '../../../../src/application/context.ts';
import { MemoryEventLog } from '../../../../src/eventlog/memory/memoryEventLog.ts';
import {
  EventTooLargeError,
  LogOverloadedError,
  LogUnavailableError,
  UnknownOutcomeError,
} from '../../../../src/ports/eventLog.ts';
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

beforeEach(async () => {
  memory = new MemoryEventLog({ epoch: 'e1' });
  context = processOn(memory);
  conversationId = await conversationOf(context);
});

const say = (by: MemoryContext, userId: string, content: string, clientMessageId?: string) =>
  postMessage(by, { conversationId, userId, content, clientMessageId });

describe('posting', () => {
  it('stores the message and says where', async () => {
    const posted = await say(context, 'alice', 'hello', 'k1');
    expect(posted).toMatchObject({ seq: 2, position: 'e1:2', duplicate: false });
    expect(posted.messageId).toBe(context.ids.messageId(conversationId, 'alice', 'k1'));
    expect((await storedEvents(memory))[1]).toStrictEqual(posted.event);
  });

  it('keeps the time of an imported message', async () => {
    const at = '2004-11-23T10:30:15.123Z';
    await postMessage(context, { conversationId, userId: 'bob', content: 'old', at });
    expect((await storedEvents(memory))[1]).toMatchObject({ at });
  });

  it('without a clientMessageId is a new message every time', async () => {
    const [first, second] = [await say(context, 'alice', 'hi'), await say(context, 'alice', 'hi')];
    expect(second.messageId).not.toBe(first.messageId);
    expect(await storedEvents(memory)).toHaveLength(3);
  });
});

describe('posting again with the same clientMessageId', () => {
  it('with a file that has become too old to attach is still the same message; as another one it is refused', async () => {
    const uploadedAtMs = Date.parse('2026-01-01T00:00:00.000Z');
    const { id } = await storeUpload(context.attachments, new Uint8Array(9), {
      conversationId,
      uploadedAtMs,
    });
    const message = { conversationId, userId: 'alice', content: 'look', attachments: [id] };
    const first = await postMessage(context, { ...message, clientMessageId: 'k1' });
    for (let n = 0; n < 23 * 3_600; n++) context.clock.nowMs();
    const again = await postMessage(context, { ...message, clientMessageId: 'k1' });
    expect(again).toEqual({ ...first, duplicate: true });
    for (const clientMessageId of ['k2', undefined]) {
      const refused = await toldBy(postMessage(context, { ...message, clientMessageId }));
      expect(refused).toMatchObject({ code: 'invalid_request', errors: [{ path: 'attachments.0' }] });
    }
    expect(await storedEvents(memory)).toHaveLength(2);
  });

  it('is the same message, at the same place, stored once', async () => {
    const first = await say(context, 'alice', 'hello', 'k1');
    const again = await say(context, 'alice', 'hello', 'k1');
    expect(again).toMatchObject({ messageId: first.messageId, seq: first.seq, duplicate: true });
    expect(again.position).toBe(first.position);
    expect(await storedEvents(memory)).toHaveLength(2);
  });

  it('shows what was stored first, with its time, also after an edit', async () => {
    const first = await say(context, 'alice', 'hello', 'k1');
    const { messageId } = first;
    await editMessage(context, { conversationId, userId: 'alice', messageId, content: 'hello there' });
    expect(await say(context, 'alice', 'hello', 'k1')).toEqual({ ...first, duplicate: true });
  });

  it.each([
    ['other words', { content: 'something else' }],
    ['another reply', { replyTo: 'FIRST' }],
    ['other files', { attachments: ['FILE'] }],
  ])('with %s is refused, by whichever process, and stored nowhere', async (_, change) => {
    const uploadedAtMs = Date.parse('2026-01-01T00:00:00.000Z');
    const { id } = await storeUpload(context.attachments, new Uint8Array(9), {
      conversationId,
      uploadedAtMs,
    });
    const message = { conversationId, userId: 'alice', content: 'hello', clientMessageId: 'k1' };
    const replyTo = (await postMessage(context, message)).messageId;
    const changed = {
      ...message,
      ...change,
      ...('attachments' in change && { attachments: [id] }),
      ...('replyTo' in change && { replyTo }),
    };
    for (const process of [context, { ...processOn(memory), attachments: context.attachments }]) {
      const refused = await toldBy(postMessage(process, changed));
      expect(refused).toMatchObject({ code: 'client_message_id_reused', status: 409, retryable: false });
    }
    expect(await storedEvents(memory)).toHaveLength(2);
  });

  it('with other words is refused when the log took an attempt of the same id before, whose it was', async () => {
    await say(context, 'alice', 'hello', 'k1');
    const retrying = processOn(memory, (log) =>
      withLog(log, {
        append: async (request) => ({ ...(await log.append(request)), duplicate: false, retried: true }),
      }),
    );
    expect(await say(retrying, 'alice', 'hello', 'k1')).toMatchObject({ seq: 2, duplicate: false });
    const refused = await toldBy(say(retrying, 'alice', 'something else', 'k1'));
    expect(refused).toMatchObject({ code: 'client_message_id_reused' });
  });

  it('is a repeat, whatever it says, once the first was erased', async () => {
    const { messageId, seq } = await say(context, 'alice', 'hello', 'k1');
    await deleteMessage(context, { conversationId, userId: 'alice', messageId, erase: true });
    const again = await say(context, 'alice', 'something else', 'k1');
    expect(again).toMatchObject({ messageId, seq, duplicate: true });
  });

  it('looks at no stored message when the message is new', async () => {
    const asked: number[] = [];
    const watched = processOn(memory, (log) =>
      withLog(log, {
        at: (seq) => {
          asked.push(seq);
          return log.at(seq);
        },
      }),
    );
    await say(watched, 'alice', 'hello', 'k1');
    expect(asked).toEqual([]);
    await say(watched, 'alice', 'hello', 'k1');
    expect(asked).toEqual([2]);
  });

  it('is recognised by every process, and when both ask at once', async () => {
    const posted = await Promise.all([
      say(context, 'alice', 'hello', 'k1'),
      say(processOn(memory), 'alice', 'hello', 'k1'),
    ]);
    expect(new Set(posted.map(({ seq }) => seq)).size).toBe(1);
    expect(posted.map(({ duplicate }) => duplicate).sort()).toEqual([false, true]);
  });

  it('by somebody else, or elsewhere, is another message', async () => {
    const elsewhere = await conversationOf(context);
    const ids = [
      (await say(context, 'alice', 'hello', 'k1')).messageId,
      (await say(context, 'bob', 'hello', 'k1')).messageId,
      (
        await postMessage(context, {
          conversationId: elsewhere,
          userId: 'alice',
          content: 'hello',
          clientMessageId: 'k1',
        })
      ).messageId,
    ];
    expect(new Set(ids).size).toBe(3);
  });
});

describe('a reply', () => {
  const reply = (by: MemoryContext, replyTo: string, more: { clientMessageId?: string } = {}) =>
    postMessage(by, { conversationId, userId: 'bob', content: 'indeed', replyTo, ...more });
  /** A process whose search of the log is answered like this. */
  const reading = (follow: MemoryContext['feed']['follow']) => {
    const parts = processOn(memory);
    return { ...parts, ...openApplication({ ...parts, feed: { follow } }) };
  };

  it('to a message of the conversation is stored, however far back that is', async () => {
    const { messageId } = await say(context, 'alice', 'first');
    for (let n = 0; n < 5_000; n++) await say(context, 'alice', `${n}`);
    await expect(reply(context, messageId)).resolves.toMatchObject({ event: { replyTo: messageId } });
    await expect(reply(processOn(memory), messageId)).resolves.toBeDefined();
  });

  it('to anything else is refused', async () => {
    const elsewhere = await conversationOf(context);
    const foreign = await postMessage(context, { conversationId: elsewhere, userId: 'alice', content: 'x' });
    const gone = await say(context, 'alice', 'gone');
    const { messageId } = gone;
    await deleteMessage(context, { conversationId, userId: 'alice', messageId, erase: true });
    const before = (await memory.status()).lastSeq;
    for (const replyTo of [foreign.messageId, messageId, `m_${'x'.repeat(22)}`]) {
      const refused = await toldBy(reply(context, replyTo));
      expect(refused).toMatchObject({ code: 'invalid_request', errors: [{ path: 'replyTo' }] });
    }
    expect((await memory.status()).lastSeq).toBe(before);
  });

  it('that was stored is the same message when it comes again after its target was erased', async () => {
    const { messageId } = await say(context, 'alice', 'first');
    const stored = await reply(context, messageId, { clientMessageId: 'k1' });
    await deleteMessage(context, { conversationId, userId: 'alice', messageId, erase: true });
    const again = await reply(processOn(memory), messageId, { clientMessageId: 'k1' });
    expect(again).toEqual({ ...stored, duplicate: true });
  });

  it.each([
    ['fails', () => Promise.reject(new LogUnavailableError('silence'))],
    ['is silent', () => new Promise<never>(() => {})],
  ])('is stored when the search %s', async (_, follow) => {
    await say(context, 'alice', 'first');
    await expect(reply(reading(follow), `m_${'x'.repeat(22)}`)).resolves.toMatchObject({ duplicate: false });
  });

  it('is looked for in memory first', async () => {
    await say(context, 'alice', 'first');
    const asked: string[] = [];
    const remembering = reading(() => Promise.reject(new Error('The log must not be asked')));
    remembering.replyTargets.useMemory((_, messageId) => asked.push(messageId) > 0);
    const replyTo = `m_${'x'.repeat(22)}`;
    await reply(remembering, replyTo);
    expect(asked).toEqual([replyTo]);
  });
});

describe('when the cached conversation is out of date', () => {
  const elsewhere = () => processOn(memory);

  it('somebody who was added meanwhile is let in', async () => {
    await addParticipants(elsewhere(), { conversationId, userId: 'alice', participantIds: ['carol'] });
    expect(context.conversations.cached(conversationId)?.state?.participantIds).toEqual(['alice', 'bob']);
    await expect(say(context, 'carol', 'hello')).resolves.toMatchObject({ duplicate: false });
  });

  it('an archived conversation that was brought back takes messages', async () => {
    await archiveConversation(context, { conversationId, userId: 'alice', archived: true });
    expect(await toldBy(say(context, 'alice', 'hello'))).toMatchObject({ code: 'conflict' });
    await archiveConversation(elsewhere(), { conversationId, userId: 'alice', archived: false });
    await expect(say(context, 'alice', 'hello')).resolves.toMatchObject({ duplicate: false });
  });

  it('a refusal is taken on what the log says', async () => {
    const asked: string[] = [];
    const watched = processOn(memory, (log) =>
      withLog(log, {
        latest: (id, category) => {
          asked.push(category);
          return log.latest(id, category);
        },
      }),
    );
    await say(watched, 'alice', 'loads it');
    await say(watched, 'alice', 'from the cache');
    expect(asked).toEqual(['conversation']);
    expect(await toldBy(say(watched, 'carol', 'hello'))).toMatchObject({ code: 'not_found' });
    expect(asked).toEqual(['conversation', 'conversation']);
  });

  it('the tail puts it right', async () => {
    await removeParticipants(elsewhere(), { conversationId, userId: 'alice', participantIds: ['bob'] });
    const removed = await memory.at(2);
    if (removed === null) throw new Error('The removal was not stored');
    context.conversations.observe(removed);
    expect(await toldBy(say(context, 'bob', 'hello'))).toMatchObject({ code: 'not_found' });
  });
});

describe('when the log is in trouble', () => {
  it.each([
    [new LogUnavailableError('down'), 'log_unavailable', true],
    [new LogOverloadedError('busy'), 'overloaded', true],
    [new UnknownOutcomeError('silence'), 'unknown_outcome', true],
    [new EventTooLargeError('big'), 'payload_too_large', false],
  ])('%s becomes what the client can act on', async (fault, code, retryable) => {
    const faulty = processOn(memory, (log) => withLog(log, { append: () => Promise.reject(fault) }));
    expect(await toldBy(say(faulty, 'alice', 'hello', 'k1'))).toMatchObject({ code, retryable });
    expect(await storedEvents(memory)).toHaveLength(1);
  });

  it('a retry after an unknown outcome finds the message that was stored after all', async () => {
    const silent = processOn(memory, (log) =>
      withLog(log, {
        append: async (request) => {
          await log.append(request);
          throw new UnknownOutcomeError('the answer was lost');
        },
      }),
    );
    expect(await toldBy(say(silent, 'alice', 'hello', 'k1'))).toMatchObject({ code: 'unknown_outcome' });
    await expect(say(context, 'alice', 'hello', 'k1')).resolves.toMatchObject({ duplicate: true, seq: 2 });
  });

  it('a bug stays a bug', async () => {
    const broken = processOn(memory, (log) =>
      withLog(log, { append: () => Promise.reject(new TypeError('bug')) }),
    );
    await expect(say(broken, 'alice', 'hello')).rejects.toThrow(TypeError);
  });
});
