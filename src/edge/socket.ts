/**
 * What a session needs of a client's connection, whatever carries it. Frames go out in the order of the calls, and a
 * topic's frames begin with the first one published after `subscribe` returned.
 */
export interface ClientSocket {
  readonly userId: string;
  /** False once the connection is gone: whatever is sent then goes nowhere. */
  readonly open: boolean;
  /** @returns false when the client reads slower than it is sent to: wait for {@link ClientSocket.drained} */
  send(frame: string | Uint8Array): boolean;
  /** Resolves when what was sent has gone out, or the connection has closed. */
  drained(): Promise<void>;
  subscribe(topic: string): void;
  unsubscribe(topic: string): void;
  close(code: number, reason: string): void;
}
