import fc from 'fast-check';
import { expect, test } from 'vitest';
import { numbered, projectHistory } from '../../../../projections/history/changes.ts';
import type { ChatEvent } from '../../../../src/domain/conversation/events.ts';

const conversationId = 'c_aaaaaaaaaaaaaaaaaaaaa';
const base = { v: 1, conversationId, userId: 'alice', at: '2026-01-01T00:00:00.000Z' } as const;
const state = {
  title: 'one',
  visibility: 'open',
  participantIds: ['alice'],
  createdBy: 'alice',
  createdAt: base.at,
  archived: false,
} as const;
const messageId = 'm_aaaaaaaaaaaaaaaaaaaaaa';

const created: ChatEvent = { type: 'ConversationCreated', ...base, state };
const renamed: ChatEvent = { type: 'ConversationRenamed', ...base, state: { ...state, title: 'two' } };
const posted: ChatEvent = {
  type: 'MessagePosted',
  ...base,
  messageId,
  clientMessageId: 'k',
  content: 'first',
  replyTo: null,
  attachments: [],
};
const edited = (content: string): ChatEvent => ({ type: 'MessageEdited', ...base, messageId, content });
const deleted: ChatEvent = { type: 'MessageDeleted', ...base, messageId };
const members = (
  type: 'ParticipantAdded' | 'ParticipantRemoved',
  ...participantIds: string[]
): ChatEvent => ({
  type,
  ...base,
  participantIds,
  state,
});

const given = (...events: ChatEvent[]) =>
  projectHistory({ events: events.map((event, n) => ({ seq: n + 1, event })) });

test('a conversation has its last state', () => {
  expect(given(created, renamed).conversations).toEqual([
    { id: conversationId, state: renamed.state, seq: 2 },
  ]);
});

test('messages are numbered within their conversation, in the order of the log, whatever comes between', () => {
  const ids = fc.constantFrom('b', 'a', 'c', 'é');
  fc.assert(
    fc.property(fc.array(ids, { maxLength: 60 }), (order) => {
      const messages = order.map((id, seq) => ({ seq, event: { ...posted, conversationId: id } }));
      const { rows, conversationIds } = numbered(messages);
      expect(conversationIds).toEqual([...new Set(order)].sort());
      expect(rows.map(({ event }) => event.conversationId)).toEqual([...order].sort());
      for (const id of conversationIds) {
        const own = rows.filter(({ event }) => event.conversationId === id);
        expect(own.map(({ nth }) => nth)).toEqual(own.map((_, index) => index + 1));
        expect(new Set(own.map(({ place }) => conversationIds[place - 1]))).toEqual(new Set([id]));
        expect(own.map(({ seq }) => seq)).toEqual(order.flatMap((each, seq) => (each === id ? [seq] : [])));
      }
    }),
  );
});

test('a repeated message counts once, with its first sequence', () => {
  expect(given(posted, posted).posted).toEqual([{ seq: 1, event: posted }]);
});

test('of several edits the last one counts', () => {
  expect(given(posted, edited('second'), edited('third')).edited).toEqual([
    { seq: 3, event: edited('third') },
  ]);
});

test('an edit after the deletion counts for nothing, one before it does', () => {
  const changes = given(posted, edited('second'), deleted, edited('too late'), deleted);
  expect(changes.edited).toEqual([{ seq: 2, event: edited('second') }]);
  expect(changes.deleted).toEqual([{ seq: 3, event: deleted }]);
});

test('of a participant who comes and goes the last word counts', () => {
  const changes = given(
    created,
    members('ParticipantAdded', 'bob', 'carol'),
    members('ParticipantRemoved', 'bob'),
    members('ParticipantAdded', 'bob'),
    members('ParticipantRemoved', 'carol'),
  );
  expect(changes.participants).toEqual([
    { conversationId, userId: 'alice', member: true, seq: 1 },
    { conversationId, userId: 'bob', member: true, seq: 4 },
    { conversationId, userId: 'carol', member: false, seq: 5 },
  ]);
});
