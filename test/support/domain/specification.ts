import { expect } from 'vitest';
import type {
  Command,
  ConversationCommand,
  MessageCommand,
} from '../../../src/domain/conversation/commands.ts';
import { type Decision, decideConversation, decideMessage } from '../../../src/domain/conversation/decide.ts';
import type { ChatEvent, ConversationEvent } from '../../../src/domain/conversation/events.ts';
import { isRejection, type RejectionReason } from '../../../src/domain/conversation/rejections.ts';
import { type Conversation, evolve, initialState } from '../../../src/domain/conversation/state.ts';

/** What a command leads to. Every method asserts; one of them ends each specification. */
export interface Outcome {
  thenEvent(event: ChatEvent): void;
  thenRejected(reason: RejectionReason): void;
  /** Everything already is as wanted. */
  thenNothing(): void;
}

/** Specifies the domain: `given(events).when(command).thenEvent(event)`. */
export function given(events: readonly ConversationEvent[]) {
  const state = deepFreeze(stateAfter(events));
  return { when: (command: Command): Outcome => outcome(decide(state, deepFreeze(command))) };
}

export function stateAfter(events: readonly ConversationEvent[]): Conversation {
  return events.reduce<Conversation>(evolve, initialState);
}

export function decide(state: Conversation, command: Command): Decision<ChatEvent> {
  return isMessageCommand(command) ? decideMessage(state, command) : decideConversation(state, command);
}

/** Freezes everything within, so that a decision that changes its arguments fails. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(deepFreeze);
  return value;
}

function outcome(decision: Decision<ChatEvent>): Outcome {
  return {
    thenEvent: (event) => expect(decision).toStrictEqual(event),
    thenRejected: (reason) => expect(decision).toStrictEqual({ rejected: reason }),
    thenNothing: () => expect(decision).toBeNull(),
  };
}

export function eventOf<E extends ChatEvent>(decision: Decision<E>): E {
  if (decision === null || isRejection(decision)) throw new Error(`No event: ${JSON.stringify(decision)}`);
  return decision;
}

function isMessageCommand(command: ConversationCommand | MessageCommand): command is MessageCommand {
  return /Message$|Reaction$/.test(command.type);
}
