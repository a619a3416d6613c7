import type { PostMessage } from '../../../src/domain/conversation/commands.ts';
import type { ConversationCreated } from '../../../src/domain/conversation/events.ts';
import type { ConversationState } from '../../../src/domain/conversation/state.ts';

/** Valid ids, times and events for tests that do not care which. */
export const C1 = 'c_AAAAAAAAAAAAAAAAAAAAA';
export const C2 = 'c_BBBBBBBBBBBBBBBBBBBBB';
export const M1 = 'm_AAAAAAAAAAAAAAAAAAAAAA';
export const M2 = 'm_BBBBBBBBBBBBBBBBBBBBBB';
export const T0 = '2026-01-01T00:00:00.000Z';
export const T1 = '2026-01-01T00:00:01.000Z';

/** A closed conversation of alice and bob, unless told otherwise. */
export function created(overrides: Partial<ConversationState> = {}): ConversationCreated {
  const state: ConversationState = {
    title: 'Tea',
    visibility: 'members',
    participantIds: ['alice', 'bob'],
    createdBy: 'alice',
    createdAt: T0,
    archived: false,
    ...overrides,
  };
  return { type: 'ConversationCreated', v: 1, conversationId: C1, userId: state.createdBy, at: T0, state };
}

export function post(overrides: Partial<PostMessage> = {}): PostMessage {
  return {
    type: 'PostMessage',
    conversationId: C1,
    userId: 'alice',
    at: T1,
    messageId: M1,
    clientMessageId: 'k1',
    content: 'hello',
    replyTo: null,
    attachments: [],
    ...overrides,
  };
}
