import type { Disconnect } from '../contracts/frames/disconnects.ts';
import type { ServerFrame } from '../contracts/frames/serverFrames.ts';
import type { LinkedEvent } from './linkedEvent.ts';

/** How a transport reaches everyone who is subscribed to a conversation, at once. */
export interface Fanout {
  publish(conversationId: string, event: LinkedEvent): void;
}

/**
 * What a session needs of a client's connection, whatever carries it. What is sent goes out in the order of the calls,
 * and a conversation's events begin with the first one published after `subscribe` returned.
 */
export interface ClientSocket {
  readonly userId: string;
  readonly fanout: Fanout;
  /** False once the connection is gone: whatever is sent then goes nowhere. */
  readonly open: boolean;
  /** Sends an answer or a notice. */
  reply(frame: ServerFrame): void;
  /** Sends an event. @returns false when the client reads slower than it is sent to: wait for {@link drained} */
  deliver(event: LinkedEvent): boolean;
  /** Resolves when what was sent has gone out, or the connection has closed. */
  drained(): Promise<void>;
  subscribe(conversationId: string): void;
  unsubscribe(conversationId: string): void;
  /** Ends the connection, as far as what carries it can say why. */
  close(disconnect: Disconnect): void;
}

/** What a graceful stop needs of a transport. */
export interface Drainable {
  readonly connections: number;
  /** Requests that were not answered yet. */
  readonly inFlight: number;
  /** Tells every client to come back after a while, each after one of its own. */
  announceDraining(retryAfterMs: () => number): void;
  /** Closes up to so many connections. */
  closeSome(count: number): void;
}
