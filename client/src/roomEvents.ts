import type { RemovedFromConversationError, RequestRefusedError } from './errors.ts';
import type { ChatEvent } from './protocol.ts';

/** An event of the conversation: each exactly once, in order. */
export interface RoomEvent {
  readonly type: 'event';
  readonly seq: number;
  readonly prev: number;
  readonly event: ChatEvent;
}

/**
 * Events are missing that cannot be had by joining again. The room stands still: read history over HTTP and call
 * `room.resumeFrom` with the last sequence in it, or without one to go on from `head`.
 */
export interface RoomResync {
  readonly type: 'resync';
  /**
   * `epoch`: the log is another one, sequences of before mean nothing. `expired`: the log does not hold what was asked for.
   * `gap`: the server left something out, again and again.
   */
  readonly reason: 'epoch' | 'expired' | 'gap';
  /** The latest event when the room was joined; null if it never was. */
  readonly head: number | null;
  readonly epoch: string | null;
}

/** The server has joined this client to the conversation, for the first time or again. */
export interface RoomJoined {
  readonly type: 'joined';
  readonly head: number;
  readonly epoch: string;
  /** Where it went on from; null when it began with what comes from now on. */
  readonly after: number | null;
}

/** Somebody else is typing. */
export interface RoomTyping {
  readonly type: 'typing';
  readonly conversationId: string;
  readonly userId: string;
}

/** What `room.on` takes. */
export interface RoomEvents {
  event: RoomEvent;
  resync: RoomResync;
  joined: RoomJoined;
  typing: RoomTyping;
  /** The server refuses to let this user in: the room has ended. */
  error: RequestRefusedError | RemovedFromConversationError;
}

/** What iterating over a room gives: everything an app must heed to show the conversation as it is. */
export type RoomItem = RoomEvent | RoomResync;
