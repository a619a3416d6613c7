import type { Disconnect } from '../contracts/frames/disconnects.ts';
import type { ServerFrame } from '../contracts/frames/serverFrames.ts';
import type { LinkedEvent } from './linkedEvent.ts';

/** Reaches all subscribers of a conversation over one transport at once. */
export interface Fanout {
  publish(conversationId: string, event: LinkedEvent): void;
}

/**
 * A client's connection as a session sees it, whatever carries it. Frames go out in the order of the calls, and a
 * conversation's live events begin with the first one published after `subscribe` returned.
 */
export interface ClientSocket {
  readonly userId: string;
  readonly fanout: Fanout;
  /** False once the connection is gone: frames sent then go nowhere. */
  readonly open: boolean;
  /** Sends an answer or a notice. */
  reply(frame: ServerFrame): void;
  /** Sends an event. @returns false when the client reads too slowly: wait for {@link drained} */
  deliver(event: LinkedEvent): boolean;
  /** Resolves when every frame has gone out, or the connection has closed. */
  drained(): Promise<void>;
  subscribe(conversationId: string): void;
  unsubscribe(conversationId: string): void;
  /** Closes the connection, with the code and reason if the transport has such. */
  close(disconnect: Disconnect): void;
}

/** A transport, as a graceful stop sees it. */
export interface Drainable {
  readonly connections: number;
  /** Requests not answered yet. */
  readonly inFlight: number;
  /** Asks every client to come back, each after a time of its own. */
  announceDraining(retryAfterMs: () => number): void;
  /** Closes up to `count` connections. */
  closeSome(count: number): void;
}
