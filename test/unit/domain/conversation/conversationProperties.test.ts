import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Command, ConversationCommand } from '../../../../src/domain/conversation/commands.ts';
import { isRejection } from '../../../../src/domain/conversation/rejections.ts';
import {
  type Conversation,
  evolve,
  initialState,
  isParticipant,
  PARTICIPANTS_MAX,
} from '../../../../src/domain/conversation/state.ts';
import { C1, M1, post, T1 } from '../../../support/domain/conversations.ts';
import { decide, deepFreeze } from '../../../support/domain/specification.ts';

const few = fc.constantFrom('u0', 'u1', 'u2', 'u3');
/** Some, with repeats, or so many that a few such commands reach the bound. */
const crowd = fc
  .record({ from: fc.nat(PARTICIPANTS_MAX), count: fc.constantFrom(0, 700, 1_999) })
  .map(({ from, count }) => Array.from({ length: count }, (_, index) => `u${from + index}`));
const participantIds = fc.oneof({ weight: 3, arbitrary: fc.array(few, { maxLength: 6 }) }, crowd);
const title = fc.option(fc.constantFrom('Tea', 'Coffee'));
const base = { conversationId: fc.constant(C1), userId: few, at: fc.constant(T1) };
const typed = <T extends string>(type: T) => ({ type: fc.constant(type), ...base });

const conversationCommand: fc.Arbitrary<ConversationCommand> = fc.oneof(
  fc.record({
    ...typed('CreateConversation'),
    title,
    participantIds,
    visibility: fc.constantFrom('members', 'open'),
  }),
  fc.record({ ...typed('RenameConversation'), title }),
  fc.record({ ...typed('ArchiveConversation'), archived: fc.boolean() }),
  { weight: 3, arbitrary: fc.record({ ...typed('AddParticipants'), participantIds }) },
  { weight: 2, arbitrary: fc.record({ ...typed('RemoveParticipants'), participantIds }) },
);
const found = { messageId: fc.constant(M1), seq: fc.nat(9), replyTo: fc.constant(null), at: fc.constant(T1) };
const target = fc.option(fc.record({ ...found, authorId: few }));
const messageCommand: fc.Arbitrary<Command> = fc.oneof(
  few.map((userId) => post({ userId })),
  fc.record({ ...typed('EditMessage'), target, content: fc.string({ minLength: 1 }) }),
  fc.record({
    ...typed('DeleteMessage'),
    target,
    erase: fc.boolean(),
    by: fc.constantFrom('author' as const, 'operator' as const),
  }),
  fc.record({
    ...typed('AddReaction'),
    target,
    emoji: fc.constant('👍'),
    kinds: fc.record({ count: fc.integer({ min: 0, max: 60 }), includesThis: fc.boolean() }),
  }),
  fc.record({ ...typed('RemoveReaction'), target, emoji: fc.constant('👍') }),
);
/** Starts with a creation, so that most of what follows meets a conversation. */
const story = fc
  .tuple(fc.record({ userId: few, participantIds }), fc.array(conversationCommand, { maxLength: 12 }))
  .map(([first, rest]) => [
    {
      type: 'CreateConversation' as const,
      conversationId: C1,
      at: T1,
      title: null,
      visibility: 'open' as const,
      ...first,
    },
    ...rest,
  ]);
const runs = { numRuns: 60 };

/** Plays commands and shows every state that was reached. */
function play(commands: readonly Command[]): Conversation[] {
  const states: Conversation[] = [initialState];
  for (const command of commands) {
    const decision = decide(states.at(-1) ?? null, command);
    if (decision === null || isRejection(decision) || !('state' in decision)) continue;
    states.push(evolve(states.at(-1) ?? null, decision));
  }
  return states;
}

describe('whatever happens to a conversation', () => {
  it('nobody takes part twice', () => {
    fc.assert(
      fc.property(story, (commands) => {
        for (const state of play(commands)) {
          const ids = state?.participantIds ?? [];
          expect(new Set(ids).size).toBe(ids.length);
        }
      }),
      runs,
    );
  });

  it('the bound on participants holds', () => {
    let fullest = 0;
    const property = fc.property(story, (commands) => {
      for (const state of play(commands)) {
        const count = state?.participantIds.length ?? 0;
        expect(count).toBeLessThanOrEqual(PARTICIPANTS_MAX);
        fullest = Math.max(fullest, count);
      }
    });
    // Seeded, so that the next line is certain: the stories do come near the bound.
    fc.assert(property, { ...runs, seed: 1 });
    expect(fullest).toBeGreaterThan(PARTICIPANTS_MAX - 10);
  });

  it('who created it and when never changes', () => {
    fc.assert(
      fc.property(story, (commands) => {
        const [, first, ...later] = play(commands);
        for (const state of later) {
          expect(state).toMatchObject({ createdBy: first?.createdBy, createdAt: first?.createdAt });
        }
      }),
      runs,
    );
  });
});

describe('deciding', () => {
  const anyCommand = fc.oneof(conversationCommand, messageCommand);

  it('gives the same for the same, and changes neither state nor command', () => {
    fc.assert(
      fc.property(story, anyCommand, (commands, command) => {
        const state = deepFreeze(play(commands).at(-1) ?? null);
        expect(decide(state, deepFreeze(command))).toStrictEqual(decide(state, structuredClone(command)));
      }),
      runs,
    );
  });

  it('puts the state after it into every conversation event, so that evolving gives exactly that', () => {
    fc.assert(
      fc.property(story, conversationCommand, (commands, command) => {
        const state = play(commands).at(-1) ?? null;
        const event = decide(state, command);
        if (event === null || isRejection(event)) return;
        if (!('state' in event)) throw new Error(`${command.type} decided on ${event.type}`);
        expect(evolve(state, event)).toStrictEqual(event.state);
        expect(event.state).not.toStrictEqual(state);
      }),
      runs,
    );
  });

  it('lets outsiders change nothing but their own presence', () => {
    fc.assert(
      fc.property(story, conversationCommand, (commands, command) => {
        const state = play(commands).at(-1) ?? null;
        if (state === null || isParticipant(state, command.userId)) return;
        const event = decide(state, command);
        if (event === null || isRejection(event)) return;
        expect(event).toMatchObject({ type: 'ParticipantAdded', participantIds: [command.userId] });
      }),
      runs,
    );
  });
});
