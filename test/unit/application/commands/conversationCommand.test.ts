import { beforeEach, describe, expect, it } from 'vitest';
import { archiveConversation } from '../../../../src/application/commands/archiveConversation.ts';
import {
  addParticipants,
  removeParticipants,
} from '../../../../src/application/commands/changeParticipants.ts';
import { changeReaction } from '../../../../src/application/commands/changeReaction.ts';
import { createConversation } from '../../../../src/application/commands/createConversation.ts';
import { deleteMessage } from '../../../../src/application/commands/deleteMessage.ts';
import { editMessage } from '../../../../src/application/commands/editMessage.ts';
import { postMessage } from '../../../../src/application/commands/postMessage.ts';
import { renameConversation } from '../../../../src/application/commands/renameConversation.ts';
import { viewConversation } from '../../../../src/application/reading/viewConversation.ts';
import { MemoryEventLog } from '../../../../src/eventlog/memory/memoryEventLog.ts';
import type { EventLog } from '../../../../src/ports/eventLog.ts';
import {
  conversationOf,
  type MemoryContext,
  processOn,
  storedEvents,
  toldBy,
  withLog,
} from '../../../support/application/application.ts';
import { C2, M1 } from '../../../support/domain/conversations.ts';

let memory: MemoryEventLog;
let context: MemoryContext;
let conversationId: string;

beforeEach(async () => {
  memory = new MemoryEventLog({ epoch: 'e1' });
  context = processOn(memory);
  conversationId = await conversationOf(context);
});

describe('changing a conversation', () => {
  it('is seen at once by this process and by others', async () => {
    const changed = await renameConversation(context, { conversationId, userId: 'bob', title: 'Coffee' });
    expect(changed).toMatchObject({ seq: 2, position: 'e1:2', state: { title: 'Coffee' } });
    for (const process of [context, processOn(memory)]) {
      expect(await viewConversation(process, conversationId, 'alice')).toMatchObject({ title: 'Coffee' });
    }
  });

  it('to what it is stores nothing and answers with what is', async () => {
    const again = await renameConversation(context, { conversationId, userId: 'bob', title: 'Tea' });
    expect(again).toMatchObject({ seq: 1, position: 'e1:1', state: { title: 'Tea' } });
    expect(await storedEvents(memory)).toHaveLength(1);
  });

  it('is decided on what the log says, not on what is cached', async () => {
    await removeParticipants(processOn(memory), { conversationId, userId: 'alice', participantIds: ['bob'] });
    const rename = renameConversation(context, { conversationId, userId: 'bob', title: 'Mine' });
    expect(await toldBy(rename)).toMatchObject({ code: 'not_found' });
  });

  it('names what is too much', async () => {
    const participantIds = Array.from({ length: 2_000 }, (_, index) => `u${index}`);
    const request = { userId: 'alice', title: null, visibility: 'members', participantIds } as const;
    expect(await toldBy(createConversation(context, request))).toMatchObject({
      code: 'invalid_request',
      errors: [{ path: 'participantIds', reason: expect.stringContaining('2000') }],
    });
  });
});

describe('when somebody else was faster', () => {
  /** A process before each of whose first `races` changes another process gets in one of its own. */
  function beaten(races: number, change: (by: MemoryContext, race: number) => Promise<unknown>) {
    const other = processOn(memory);
    let race = 0;
    const between = (log: EventLog) =>
      withLog(log, {
        append: async (request) => {
          if (race < races) {
            race += 1;
            await change(other, race);
          }
          return log.append(request);
        },
      });
    return processOn(memory, between);
  }
  const join = (by: MemoryContext, race: number) =>
    addParticipants(by, { conversationId, userId: 'alice', participantIds: [`guest${race}`] });

  it('the change is decided anew, and nothing of theirs is lost', async () => {
    const slow = beaten(1, join);
    await renameConversation(slow, { conversationId, userId: 'bob', title: 'Coffee' });
    expect((await storedEvents(memory)).at(-1)).toMatchObject({
      type: 'ConversationRenamed',
      state: { title: 'Coffee', participantIds: ['alice', 'bob', 'guest1'] },
    });
  });

  it('it may have become superfluous', async () => {
    const same = (by: MemoryContext) =>
      renameConversation(by, { conversationId, userId: 'alice', title: 'Coffee' });
    const changed = await renameConversation(beaten(1, same), {
      conversationId,
      userId: 'bob',
      title: 'Coffee',
    });
    expect(changed.seq).toBe(2);
    expect(await storedEvents(memory)).toHaveLength(2);
  });

  it('it may have become forbidden', async () => {
    const expel = (by: MemoryContext) =>
      removeParticipants(by, { conversationId, userId: 'alice', participantIds: ['bob'] });
    const rename = renameConversation(beaten(1, expel), { conversationId, userId: 'bob', title: 'Mine' });
    expect(await toldBy(rename)).toMatchObject({ code: 'not_found' });
  });

  it('four lost races are made up for', async () => {
    const request = { conversationId, userId: 'bob', title: 'Coffee' };
    await expect(renameConversation(beaten(4, join), request)).resolves.toMatchObject({ seq: 6 });
  });

  it('after five the client decides, and nothing was stored', async () => {
    const rename = renameConversation(beaten(5, join), { conversationId, userId: 'bob', title: 'Coffee' });
    expect(await toldBy(rename)).toMatchObject({ code: 'conflict', status: 409 });
    expect((await storedEvents(memory)).map(({ type }) => type)).not.toContain('ConversationRenamed');
  });

  it('all of many at once get through or are told, and the log agrees with the answers', async () => {
    const joins = Array.from({ length: 4 }, (_, race) => join(processOn(memory), race));
    const answers = await Promise.allSettled(joins);
    const state = await viewConversation(processOn(memory), conversationId, 'alice');
    const joined = answers.flatMap(({ status }, race) => (status === 'fulfilled' ? [`guest${race}`] : []));
    expect(joined.length).toBeGreaterThan(0);
    expect([...state.participantIds].sort()).toEqual(['alice', 'bob', ...joined].sort());
  });
});

describe('a conversation that is closed to the user', () => {
  const missing = C2;
  const by = { userId: 'eve' };
  const calls: Record<string, (context: MemoryContext, conversationId: string) => Promise<unknown>> = {
    view: (context, id) => viewConversation(context, id, 'eve'),
    'view without a user': (context, id) => viewConversation(context, id, null),
    rename: (context, id) => renameConversation(context, { ...by, conversationId: id, title: 'x' }),
    archive: (context, id) => archiveConversation(context, { ...by, conversationId: id, archived: true }),
    join: (context, id) => addParticipants(context, { ...by, conversationId: id, participantIds: ['eve'] }),
    expel: (context, id) =>
      removeParticipants(context, { ...by, conversationId: id, participantIds: ['bob'] }),
    post: (context, id) => postMessage(context, { ...by, conversationId: id, content: 'x' }),
    edit: (context, id) => editMessage(context, { ...by, conversationId: id, messageId: M1, content: 'x' }),
    'edit at a seq': (context, id) =>
      editMessage(context, { ...by, conversationId: id, messageId: M1, content: 'x', seq: 2 }),
    delete: (context, id) =>
      deleteMessage(context, { ...by, conversationId: id, messageId: M1, erase: false }),
    erase: (context, id) => deleteMessage(context, { ...by, conversationId: id, messageId: M1, erase: true }),
    react: (context, id) =>
      changeReaction(context, { ...by, conversationId: id, messageId: M1, emoji: '👍', add: true }),
  };

  it.each(Object.entries(calls))('answers exactly as a missing one: %s', async (_name, call) => {
    await postMessage(context, { conversationId, userId: 'alice', content: 'secret' });
    const closed = await toldBy(call(context, conversationId));
    expect(closed).toEqual(await toldBy(call(context, missing)));
    expect(closed).toMatchObject({ code: 'not_found', status: 404, errors: [] });
    await archiveConversation(context, { conversationId, userId: 'alice', archived: true });
    expect(await toldBy(call(context, conversationId))).toEqual(closed);
    expect(await storedEvents(memory)).toHaveLength(3);
  });
});
