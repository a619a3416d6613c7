import { describe, it } from 'vitest';
import type { DeleteMessage, EditMessage } from '../../../src/domain/conversation/commands.ts';
import { C1, created, M1, M2, post, T1 } from '../../support/conversations.ts';
import { given } from '../../support/specification.ts';

const target = { messageId: M1, authorId: 'bob' };
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

describe('an archived conversation', () => {
  it.each([post(), edit()])('takes no $type', (command) => {
    given([created({ archived: true })])
      .when(command)
      .thenRejected('ConversationIsArchived');
  });
});

describe('a conversation that is missing or closed to the user', () => {
  const mine = { messageId: M1, authorId: 'eve' };
  const by = { userId: 'eve', target: mine };

  it.each([post({ userId: 'eve' }), edit(by), remove(by)])(
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
