import type { ConversationState } from '../domain/conversation/state.ts';
import type { ClientSocket } from './transport.ts';

/** One following of a conversation by one socket. */
export interface Subscriber {
  readonly socket: ClientSocket;
  /** The log is another one than before: what this subscriber has seen cannot be compared with it. */
  onOtherLog(): void;
  /** Who may see the conversation, or who takes part in it, has changed. */
  onParticipants(state: ConversationState): void;
}

/** A conversation that somebody at this edge follows. */
export interface Channel {
  readonly conversationId: string;
  /** The latest event of the conversation that this edge knows: the `prev` of the next one, unless it was erased. */
  readonly head: number;
  readonly subscribers: ReadonlySet<Subscriber>;
  /** Links the next event to `seq` at most: a subscriber has all there is up to the head, and `seq` was the last of it. */
  linkBack(seq: number): void;
  /** Gives the channel back; the last one to do so closes it. */
  leave(subscriber: Subscriber): void;
}
