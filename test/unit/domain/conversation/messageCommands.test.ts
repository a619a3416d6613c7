import { describe, it } from 'vitest';
import type {
  AddReaction,
  DeleteMessage,
  EditMessage,
  RemoveReaction,
} from '../../../../src/domain/conversation/commands.ts';
import { C1, created, M1, M2, post, T0, T1 } from '../../../support/domain/conversations.ts';
import { given } from '../../../support/domain/specification.ts';

const target = { messageId: M1, authorId: 'bob', seq: 7, replyTo: M2, at: T0 };
const edit = (overrides: Partial<EditMessage> = {}): EditMessage => ({
  type: 'EditMessage',
  conversationId: C1,
  userId: 'bob',
  at: T1,
  target,
  content: 'better',
  ...overrides,
});
const remove = (overrides: Partial<DeleteMessage> = {}): DeleteMessage => ({
  type: 'DeleteMessage',
  conversationId: C1,
  userId: 'bob',
  at: T1,
  target,
  erase: false,
  by: 'author',
  ...overrides,
});
const react = (overrides: Partial<AddReaction> = {}): AddReaction => ({
  type: 'AddReaction',
  conversationId: C1,
  userId: 'alice',
  at: T1,
  target,
  emoji: '👍',
  kinds: { count: 0, includesThis: false },
  ...overrides,
});
const unreact = (overrides: Partial<RemoveReaction> = {}): RemoveReaction => ({
  type: 'RemoveReaction',
  conversationId: C1,
  userId: 'alice',
  at: T1,
  target,
  emoji: '👍',
  ...overrides,
});

describe('posting a message', () => {
  it('says who posted what, and when', () => {
    const attachment = {
      id: 'a1',
      name: 'tea.png',
      mediaType: 'image/png',
      bytes: 3,
      sha256: '0'.repeat(64),
    };
    given([created()])
      .when(post({ replyTo: M2, attachments: [attachment] }))
      .thenEvent({
        type: 'MessagePosted',
        v: 1,
        messageId: M1,
        conversationId: C1,
        userId: 'alice',
        clientMessageId: 'k1',
        content: 'hello',
        replyTo: M2,
        attachments: [attachment],
        at: T1,
      });
  });

  it('is open to anybody in an open conversation', () => {
    const { type: _, ...said } = post({ userId: 'eve' });
    given([created({ visibility: 'open' })])
      .when(post({ userId: 'eve' }))
      .thenEvent({ type: 'MessagePosted', v: 1, ...said });
  });
});

describe('editing a message', () => {
  it('replaces its content', () => {
    given([created()]).when(edit()).thenEvent({
      type: 'MessageEdited',
      v: 1,
      conversationId: C1,
      userId: 'bob',
      at: T1,
      messageId: M1,
      content: 'better',
    });
  });

  it('is for its author only', () => {
    given([created()])
      .when(edit({ userId: 'alice' }))
      .thenRejected('NotTheAuthor');
  });

  it('needs the message', () => {
    given([created()])
      .when(edit({ target: null }))
      .thenRejected('MessageNotFound');
  });
});

describe('deleting a message', () => {
  const deleted = {
    type: 'MessageDeleted',
    v: 1,
    conversationId: C1,
    userId: 'bob',
    at: T1,
    messageId: M1,
  } as const;

  it('takes it back', () => {
    given([created()]).when(remove()).thenEvent(deleted);
  });

  it('is for its author only', () => {
    given([created()])
      .when(remove({ userId: 'alice' }))
      .thenRejected('NotTheAuthor');
  });

  it('needs the message', () => {
    given([created()])
      .when(remove({ target: null }))
      .thenRejected('MessageNotFound');
  });

  it('stays possible in an archived conversation', () => {
    given([created({ archived: true })])
      .when(remove())
      .thenEvent(deleted);
  });
});

describe('erasing a message', () => {
  const base = { type: 'MessageDeleted', v: 1, conversationId: C1, userId: 'bob', at: T1 } as const;
  const erased = { seq: 7, userId: 'bob', replyTo: M2, at: T0 };

  it('leaves its place behind, and nothing that was said', () => {
    given([created()])
      .when(remove({ erase: true }))
      .thenEvent({ ...base, messageId: M1, erased });
  });

  it('is for its author alone, and for operators', () => {
    given([created()])
      .when(remove({ erase: true, userId: 'alice' }))
      .thenRejected('NotTheAuthor');
    for (const state of [created(), created({ archived: true, participantIds: [] })]) {
      given([state])
        .when(remove({ erase: true, by: 'operator', userId: 'operator' }))
        .thenEvent({ ...base, userId: 'operator', messageId: M1, erased });
    }
  });

  it('is possible for an author who has left, or when nobody is left', () => {
    for (const participantIds of [['alice'], []]) {
      given([created({ participantIds })])
        .when(remove({ erase: true }))
        .thenEvent({ ...base, messageId: M1, erased });
    }
  });

  it('shows nothing of the conversation to others from outside', () => {
    given([created()])
      .when(remove({ erase: true, userId: 'eve' }))
      .thenRejected('ConversationNotFound');
    given([created()])
      .when(remove({ erase: true, userId: 'eve', target: null }))
      .thenRejected('ConversationNotFound');
  });
});

describe('reacting to a message', () => {
  const said = { v: 1, conversationId: C1, userId: 'alice', at: T1, messageId: M1, emoji: '👍' } as const;

  it('says who reacted with what, whoever wrote the message', () => {
    given([created()])
      .when(react())
      .thenEvent({ type: 'ReactionAdded', ...said });
    given([created()])
      .when(unreact())
      .thenEvent({ type: 'ReactionRemoved', ...said });
  });

  it('is open to anybody in an open conversation', () => {
    given([created({ visibility: 'open' })])
      .when(react({ userId: 'eve' }))
      .thenEvent({ type: 'ReactionAdded', ...said, userId: 'eve' });
  });

  it.each([
    [49, false],
    [50, true],
    [4_000, true],
  ])('is possible beside %i kinds, when it is one of them: %s', (count, includesThis) => {
    given([created()])
      .when(react({ kinds: { count, includesThis } }))
      .thenEvent({ type: 'ReactionAdded', ...said });
  });

  it('of a further kind is refused when the message has 50', () => {
    given([created()])
      .when(react({ kinds: { count: 50, includesThis: false } }))
      .thenRejected('TooManyReactionKinds');
  });

  it('can be taken back in an archived conversation', () => {
    given([created({ archived: true })])
      .when(unreact())
      .thenEvent({ type: 'ReactionRemoved', ...said });
  });

  it.each([react({ target: null }), unreact({ target: null })])('needs a message: $type', (command) => {
    given([created()]).when(command).thenRejected('MessageNotFound');
  });
});

describe('an archived conversation', () => {
  it.each([post(), edit(), react()])('takes no $type', (command) => {
    given([created({ archived: true })])
      .when(command)
      .thenRejected('ConversationIsArchived');
  });
});

describe('a conversation that is missing or closed to the user', () => {
  const mine = { ...target, authorId: 'eve' };
  const by = { userId: 'eve', target: mine };

  it.each([post({ userId: 'eve' }), edit(by), remove(by), react(by), unreact(by)])(
    'answers $type as if it did not exist',
    (command) => {
      given([]).when(command).thenRejected('ConversationNotFound');
      given([created()]).when(command).thenRejected('ConversationNotFound');
      given([created({ archived: true })])
        .when(command)
        .thenRejected('ConversationNotFound');
    },
  );
});
