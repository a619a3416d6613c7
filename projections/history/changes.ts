import type {
  ConversationEvent,
  MessageDeleted,
  MessageEdited,
  MessagePosted,
} from '../../src/domain/conversation/events.ts';
import type { ConversationState } from '../../src/domain/conversation/state.ts';
import type { Batch } from '../runner/projection.ts';

/** What a batch of events amounts to in the read model. Each list is in the order of the log. */
export interface HistoryChanges {
  /** The last state of each conversation that changed, and the latest time that any of its events names. */
  readonly conversations: readonly { id: string; state: ConversationState; seq: number; at: string }[];
  /** The last thing that happened to each participant. */
  readonly participants: readonly ParticipantChange[];
  /** The first event of each message id; whether it is new is decided against the table. */
  readonly posted: readonly { seq: number; event: MessagePosted }[];
  /** The last edit of each message that comes before any deletion of it. */
  readonly edited: readonly { seq: number; event: MessageEdited }[];
  /** The first deletion of each message. */
  readonly deleted: readonly { seq: number; event: MessageDeleted }[];
}

export interface ParticipantChange {
  readonly conversationId: string;
  readonly userId: string;
  readonly member: boolean;
  /** Sequence of the event that says so: a newcomer has read nothing after it. */
  readonly seq: number;
}

/** Reduces events to row changes. Pure, and the outcome does not depend on how the log is cut into batches. */
export function projectHistory({ events }: Pick<Batch, 'events'>): HistoryChanges {
  const conversations = new Map<string, { id: string; state: ConversationState; seq: number; at: string }>();
  const participants = new Map<string, ParticipantChange>();
  const posted = new Map<string, { seq: number; event: MessagePosted }>();
  const edited = new Map<string, { seq: number; event: MessageEdited }>();
  const deleted = new Map<string, { seq: number; event: MessageDeleted }>();
  for (const { seq, event } of events) {
    switch (event.type) {
      case 'MessagePosted':
        if (!posted.has(event.messageId)) posted.set(event.messageId, { seq, event });
        break;
      case 'MessageEdited':
        if (!deleted.has(event.messageId)) edited.set(event.messageId, { seq, event });
        break;
      case 'MessageDeleted':
        if (!deleted.has(event.messageId)) deleted.set(event.messageId, { seq, event });
        break;
      case 'ReactionAdded':
      case 'ReactionRemoved':
        break;
      default: {
        const { conversationId: id, state } = event;
        conversations.set(id, { id, state, seq, at: later(conversations.get(id)?.at, event.at) });
        for (const change of participantChanges(event, seq)) {
          participants.set(`${change.conversationId}\0${change.userId}`, change);
        }
      }
    }
  }
  return {
    conversations: [...conversations.values()],
    participants: [...participants.values()],
    posted: [...posted.values()],
    edited: [...edited.values()],
    deleted: [...deleted.values()],
  };
}

/** Times are ISO 8601 in UTC with milliseconds, so the order of the text is the order of time. */
function later(known: string | undefined, at: string): string {
  return known !== undefined && known > at ? known : at;
}

function participantChanges(event: ConversationEvent, seq: number): ParticipantChange[] {
  const { conversationId } = event;
  const all = (userIds: readonly string[], member: boolean) =>
    userIds.map((userId) => ({ conversationId, userId, member, seq }));
  switch (event.type) {
    case 'ConversationCreated':
      return all(event.state.participantIds, true);
    case 'ParticipantAdded':
      return all(event.participantIds, true);
    case 'ParticipantRemoved':
      return all(event.participantIds, false);
    case 'ConversationRenamed':
    case 'ConversationArchived':
      return [];
  }
}
