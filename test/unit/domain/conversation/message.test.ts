import { describe, expect, it } from 'vitest';
import type {
  MessageDeleted,
  MessageEdited,
  MessagePosted,
} from '../../../../src/domain/conversation/events.ts';
import {
  evolveMessage,
  evolveReaction,
  type Message,
  type MessageChange,
  type ReactionEvent,
  takesReactions,
} from '../../../../src/domain/conversation/message.ts';
import { C1, M1, M2, T0, T1 } from '../../../support/domain/conversations.ts';

const T2 = '2026-01-01T00:00:02.000Z';
const base = { v: 1, conversationId: C1, userId: 'alice', messageId: M1, at: T0 } as const;
const file = { id: 'u_1', name: 'tea.txt', mediaType: 'text/plain', bytes: 3, sha256: '0'.repeat(64) };
const said = { clientMessageId: 'k1', content: 'hello', replyTo: M2, attachments: [file] };
const posted: MessagePosted = { type: 'MessagePosted', ...base, ...said };
const edited: MessageEdited = { type: 'MessageEdited', ...base, at: T1, content: 'better' };
const deleted: MessageDeleted = { type: 'MessageDeleted', ...base, at: T1 };
const erased: MessageDeleted = {
  type: 'MessageDeleted',
  ...base,
  at: T2,
  erased: { seq: 1, userId: 'alice', replyTo: M2, at: T0 },
};

/** The message after these events, of which the first lies at 1. */
function folded(...events: MessageChange[]): Message | null {
  return events.reduce<Message | null>(
    (message, event, index) => evolveMessage(message, event, index + 1),
    null,
  );
}

const fresh = { seq: 1, userId: 'alice', ...said, at: T0, editedAt: null, deletedAt: null };
const gone = { ...fresh, content: '', attachments: [] };

describe('a message', () => {
  it('is what was posted, where it was posted', () => {
    expect(folded(posted)).toEqual(fresh);
  });

  it('is what was posted first, however often it comes', () => {
    const message = folded(posted);
    expect(evolveMessage(message, { ...posted, content: 'again', at: T2 }, 9)).toBe(message);
  });

  it('says what its last edit says', () => {
    const last = { ...edited, content: 'best', at: T2 };
    expect(folded(posted, edited, last)).toEqual({ ...fresh, content: 'best', editedAt: T2 });
  });

  it('keeps its place and loses its content when it is deleted; that it was edited stays', () => {
    expect(folded(posted, deleted)).toEqual({ ...gone, deletedAt: T1 });
    expect(folded(posted, edited, { ...deleted, at: T2 })).toEqual({ ...gone, editedAt: T1, deletedAt: T2 });
  });

  it('stays deleted, whatever comes then', () => {
    const message = folded(posted, deleted);
    for (const event of [edited, posted, { ...deleted, at: T2 }]) {
      expect(evolveMessage(message, event, 9)).toBe(message);
    }
  });

  it('keeps what its tombstone says when it is erased, after a deletion as well', () => {
    const left = { ...gone, clientMessageId: '', editedAt: null, deletedAt: T2 };
    for (const events of [[posted], [posted, edited], [posted, deleted]]) {
      expect(folded(...events, erased)).toEqual(left);
      expect(folded(...events, erased, posted, edited, deleted)).toEqual(left);
    }
  });

  it('is known by its tombstone where its own events are gone from the log', () => {
    expect(evolveMessage(null, erased, 9)).toEqual(folded(posted, erased));
  });

  it('is not there for an edit or a deletion of what is not known', () => {
    expect(folded(edited)).toBeNull();
    expect(folded(deleted)).toBeNull();
  });

  it('takes reactions until it is deleted', () => {
    expect(
      [folded(posted), folded(posted, deleted)].map((message) => message && takesReactions(message)),
    ).toEqual([true, false]);
  });
});

describe('a reaction', () => {
  const added: ReactionEvent = { type: 'ReactionAdded', ...base, userId: 'bob', emoji: '👍' };
  const removed: ReactionEvent = { ...added, type: 'ReactionRemoved' };
  const at = (...events: ReactionEvent[]) =>
    events.reduce<ReturnType<typeof evolveReaction> | null>(
      (reaction, event, index) => evolveReaction(reaction, event, index + 1),
      null,
    );

  it('is there from where it was added first', () => {
    expect(at(added, added)).toEqual({ emoji: '👍', userId: 'bob', seq: 1 });
  });

  it('is gone when it was taken back, and a new one when it is added again', () => {
    expect(at(added, removed)).toEqual({ emoji: '👍', userId: 'bob', seq: null });
    expect(at(removed)).toMatchObject({ seq: null });
    expect(at(added, removed, added)).toMatchObject({ seq: 3 });
  });
});
