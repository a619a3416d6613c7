import type { ConversationState } from '../domain/conversation/state.ts';
import type { ClientSocket } from './transport.ts';

/** One subscription of one socket to a conversation, as the hub sees it. */
export interface Subscriber {
  readonly socket: ClientSocket;
  /** The log was replaced: what this subscriber has seen cannot be compared with it. */
  onOtherLog(): void;
  /** The participants or the visibility have changed. */
  onParticipants(state: ConversationState): void;
}

/** A conversation with subscribers at this edge. */
export interface Channel {
  readonly conversationId: string;
  /** Latest event of the conversation known here: the `prev` of the next one, unless it was erased. */
  readonly head: number;
  readonly subscribers: ReadonlySet<Subscriber>;
  /** Links the next event to `seq` at most: a subscriber has everything up to the head, and `seq` came last. */
  linkBack(seq: number): void;
  /** Removes a subscriber; the channel closes with the last one. */
  leave(subscriber: Subscriber): void;
}
