import type { ConversationEvent } from './events.ts';

/** Who may see a conversation: its participants only, or anybody who knows its id. */
export type Visibility = 'members' | 'open';

/**
 * What a conversation is after its latest event. Every event of category `conversation` carries this whole state,
 * so one read of the latest such event restores the aggregate however long the log is.
 */
export interface ConversationState {
  readonly title: string | null;
  readonly visibility: Visibility;
  /** At most {@link PARTICIPANTS_MAX}, in the order they were added, without repeats. */
  readonly participantIds: readonly string[];
  readonly createdBy: string;
  /** ISO 8601, UTC, milliseconds. */
  readonly createdAt: string;
  readonly archived: boolean;
}

/** A conversation that has not been created is `null`: there is nothing to know about it. */
export type Conversation = ConversationState | null;

/**
 * The state is carried whole in each event, so its size must stay below the stream's `max_msg_size`.
 * 2,000 is also the point from which an `open` conversation serves better.
 */
export const PARTICIPANTS_MAX = 2_000;

export const initialState: Conversation = null;

/** Later conversation events simply replace what earlier ones said. */
export function evolve(_state: Conversation, event: ConversationEvent): ConversationState {
  return event.state;
}

export function isParticipant(state: ConversationState, userId: string): boolean {
  return state.participantIds.includes(userId);
}

/** An `open` conversation is seen by anyone, one of `members` by its participants. */
export function maySee(state: ConversationState, userId: string | null): boolean {
  return state.visibility === 'open' || (userId !== null && isParticipant(state, userId));
}
