import type { LogCircuit } from './logCircuit.ts';

export interface PublisherOptions {
  /** Messages sent and not yet acknowledged, at most. 1,024–2,048 keeps one server busy. */
  readonly windowMax: number;
  /** Messages waiting for the window, at most. */
  readonly queueMax: number;
  /** What messages may hold that wait for the window or an answer, in bytes. */
  readonly queueBytesMax: number;
  /** How long one attempt may go unanswered, in milliseconds. */
  readonly ackTimeoutMs: number;
  /** How long all attempts together may take, in milliseconds. */
  readonly deadlineMs: number;
  /** Refuses while the log is away, and learns from what happens here. Absent: nothing is refused. */
  readonly circuit?: LogCircuit;
  readonly onEvent?: (event: PublisherEvent) => void;
  /** Takes every event that was stored for this publisher, once. */
  readonly onStored?: (seq: number, bytes: Uint8Array) => void;
}

export type PublisherEvent =
  | { readonly type: 'publishTimedOut'; readonly messages: number }
  | { readonly type: 'publishRepeated'; readonly messages: number }
  | { readonly type: 'publishDelayed'; readonly reason: string; readonly attempts: number };
