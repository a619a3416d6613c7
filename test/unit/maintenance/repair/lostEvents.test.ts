import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ChatEvent, MessagePosted } from '../../../../src/domain/conversation/events.ts';
import {
  emptyLog,
  foldLogged,
  type LoggedConversation,
  type MessageFacts,
} from '../../../../src/maintenance/repair/conversationFacts.ts';
import { lostMessages, lostState } from '../../../../src/maintenance/repair/lostEvents.ts';
import {
  CONVERSATIONS,
  historyOf,
  type RandomHistory,
  randomHistory,
} from '../../../support/projections/randomHistory.ts';

/** What a history has of each conversation, if the log holds these events, stored a second apart. */
function fold(events: readonly ChatEvent[], startMs = 0): Map<string, LoggedConversation> {
  const logs = new Map(CONVERSATIONS.map((id) => [id as string, emptyLog()]));
  for (const [index, event] of events.entries()) {
    const log = logs.get(event.conversationId);
    if (log !== undefined) foldLogged(log, event, { seq: index + 1, storedAtMs: startMs + index * 1_000 });
  }
  return logs;
}

/** The same as the read model has it. */
function asReadModel(log: LoggedConversation, events: readonly ChatEvent[]): MessageFacts[] {
  return [...log.messages].map(([messageId, message]) => {
    const own = events.filter((event) => 'messageId' in event && event.messageId === messageId);
    const posted = own.find((event): event is MessagePosted => event.type === 'MessagePosted');
    const deletions = own.filter((event) => event.type === 'MessageDeleted');
    const erased = deletions.some((event) => event.type === 'MessageDeleted' && event.erased !== undefined);
    const reactions = [...message.reactions.values()].filter(
      ({ seq }) => seq !== null && message.deletedAt === null,
    );
    return {
      messageId,
      userId: message.userId,
      clientMessageId: erased ? '' : (posted?.clientMessageId ?? ''),
      content: message.content,
      replyTo: message.replyTo,
      attachments: [],
      at: message.at,
      editedAt: erased ? null : message.editedAt,
      deletedAt: message.deletedAt !== null ? (deletions[0]?.at ?? null) : null,
      reactions: reactions.map(({ emoji, userId }) => ({ emoji, userId })),
    };
  });
}

/** What of a message counts, whatever its place in the log. */
function essence({ messages, state }: LoggedConversation) {
  const shown = [...messages].map(([id, { content, deletedAt, editedAt, userId, at, reactions }]) => {
    const deleted = deletedAt !== null;
    const present = [...reactions]
      .filter(([, reaction]) => reaction.seq !== null && !deleted)
      .map(([key]) => key);
    return [
      id,
      { content, deleted, editedAt: deleted ? null : editedAt, userId, at, present: present.sort() },
    ];
  });
  const known =
    state === null ? null : { ...state.value, participantIds: [...state.value.participantIds].sort() };
  return { known, messages: Object.fromEntries(shown) };
}

/** What is appended to a log that holds `kept` and then `since`, for a read model that knows `history`. */
function repair(history: readonly ChatEvent[], kept: readonly ChatEvent[], since: readonly ChatEvent[] = []) {
  const lastProjectedMs = history.length * 1_000;
  const model = fold(history);
  const log = [...kept, ...since];
  const logged = fold(kept);
  for (const [index, event] of since.entries()) {
    const of = logged.get(event.conversationId);
    const storedAtMs = lastProjectedMs + 5_000 + index;
    if (of !== undefined) foldLogged(of, event, { seq: kept.length + index + 1, storedAtMs });
  }
  const left: string[] = [];
  for (const conversationId of CONVERSATIONS) {
    const of = { conversationId, lastProjectedMs };
    const [known, inLog] = [model.get(conversationId), logged.get(conversationId)];
    if (known?.state == null || inLog === undefined) continue;
    const losses = [
      lostState(of, known.state.value, inLog.state),
      lostMessages(of, asReadModel(known, history), inLog.messages),
    ];
    for (const loss of losses) {
      log.push(...loss.events);
      left.push(...loss.left);
    }
  }
  return { log, left };
}

/** A history, and how much of it the log has kept; no event has been taken out of either. */
const loss = fc
  .tuple(randomHistory, fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([{ events }, share]: [RandomHistory, number]) => {
    return { history: events, kept: events.slice(0, Math.floor(share * events.length)) };
  });

describe('what a log has lost', () => {
  test('comes back from what the read model knows, whatever was lost', () => {
    fc.assert(
      fc.property(loss, ({ history, kept }) => {
        const { log, left } = repair(history, kept);
        expect(left).toEqual([]);
        const [before, after] = [fold(history), fold(log)];
        for (const id of CONVERSATIONS) {
          const [known, repaired] = [before.get(id), after.get(id)];
          if (known === undefined || repaired === undefined) throw new Error(`${id} is missing`);
          expect(essence(repaired)).toEqual(essence(known));
        }
      }),
      { numRuns: 300 },
    );
  });

  test('is a reaction that was taken back, as much as one that was added', () => {
    const { events } = historyOf([
      ['post', 0, 0, 0, 1],
      ['react', 0, 1, 0, 1],
      ['unreact', 0, 1, 0, 1],
      ['react', 0, 2, 0, 1],
    ]);
    const { log } = repair(events, events.slice(0, -2));
    const added = log.slice(events.length - 2).map((event) => [event.type, event.userId]);
    expect(added).toEqual([
      ['ReactionAdded', 'carol'],
      ['ReactionRemoved', 'bob'],
    ]);
  });

  test('is found once: after a repair nothing is missing any more', () => {
    fc.assert(
      fc.property(loss, ({ history, kept }) => {
        const { log } = repair(history, kept);
        expect(repair(history, log).log).toEqual(log);
      }),
      { numRuns: 300 },
    );
  });

  test('does not undo what was done since', () => {
    fc.assert(
      fc.property(loss, ({ history, kept }) => {
        const [conversationId] = CONVERSATIONS;
        const first = kept.find(
          (event) => event.type === 'MessagePosted' && event.conversationId === conversationId,
        );
        const state = fold(kept).get(conversationId)?.state?.value;
        fc.pre(first?.type === 'MessagePosted' && state !== undefined);
        if (first?.type !== 'MessagePosted' || state === undefined) return;
        const base = { v: 1 as const, conversationId, userId: first.userId, at: '2026-05-01T00:00:00.000Z' };
        const { messageId } = first;
        const since: ChatEvent[] = [
          { type: 'ConversationRenamed', ...base, state: { ...state, title: 'since' } },
          { type: 'MessageEdited', ...base, messageId, content: 'since' },
          { type: 'ReactionAdded', ...base, messageId, emoji: '🆕' },
        ];
        const { log } = repair(history, kept, since);
        const repaired = fold(log).get(conversationId);
        const message = repaired?.messages.get(messageId);
        expect(repaired?.state?.value.title).toBe('since');
        // What is deleted stays deleted, on either side.
        const known = fold(history).get(conversationId)?.messages.get(messageId);
        const keptDeleted = fold(kept).get(conversationId)?.messages.get(messageId)?.deletedAt;
        if (known?.deletedAt != null || keptDeleted != null) expect(message?.deletedAt).not.toBeNull();
        else {
          expect(message?.content).toBe('since');
          expect([...(message?.reactions.values() ?? [])]).toContainEqual(
            expect.objectContaining({ emoji: '🆕', seq: expect.any(Number) }),
          );
        }
      }),
      { numRuns: 300 },
    );
  });

  test('never brings the words of a deleted or erased message back', () => {
    fc.assert(
      fc.property(loss, ({ history, kept }) => {
        const { log } = repair(history, kept);
        const added = log.slice(kept.length);
        const gone = new Set(
          [...fold(history).values()].flatMap(({ messages }) =>
            [...messages].filter(([, { deletedAt }]) => deletedAt !== null).map(([id]) => id),
          ),
        );
        for (const event of added) {
          if (event.type === 'MessagePosted' && gone.has(event.messageId))
            expect(event.content).toBe('(deleted)');
          if (event.type === 'MessageEdited') expect(gone.has(event.messageId)).toBe(false);
        }
      }),
      { numRuns: 300 },
    );
  });
});
