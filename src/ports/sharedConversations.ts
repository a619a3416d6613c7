import type { ConversationState } from '../domain/conversation/state.ts';

/** What a process found a conversation to be. */
export interface SharedConversation {
  readonly state: ConversationState;
  /** The sequence of the event that made it so. */
  readonly version: number;
  /** No later event of the conversation lay in the log up to this sequence; at least `version`. */
  readonly asOfSeq: number;
}

/**
 * A cache of conversations that processes share. It may forget anything at any time, and it may be away: then nothing is
 * found and nothing is kept. Neither call ever fails, nor takes longer than some tens of milliseconds.
 *
 * `epoch` is the log's: what was found in one log says nothing about another.
 *
 * In production: `src/platform/redis/redisConversations.ts`.
 * In memory: `src/platform/redis/memorySharedConversations.ts`.
 * Held by `test/contract/sharedConversationsContract.ts`.
 */
export interface SharedConversations {
  get(epoch: string, conversationId: string): Promise<SharedConversation | null>;

  /**
   * Keeps what is newer than what is there, until `expiresAtMs` (milliseconds since 1970) at the latest. Nobody waits
   * for it.
   */
  put(epoch: string, conversationId: string, found: SharedConversation, expiresAtMs: number): void;
}
