import { expect, test } from 'vitest';
import { projectHistory } from '../../../projections/history/changes.ts';
import type { ChatEvent } from '../../../src/domain/conversation/events.ts';

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

test('a conversation has its last state, and the latest time that any of its events names', () => {
  const late = { ...created, at: '2026-02-02T00:00:00.000Z' };
  expect(given(late, renamed).conversations).toEqual([
    { id: conversationId, state: renamed.state, seq: 2, at: late.at },
  ]);
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
