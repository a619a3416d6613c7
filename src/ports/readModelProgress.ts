/** What came of waiting for an event to be in a read model. */
export type Arrival =
  /** It is, on disk. */
  | 'reached'
  /** Its conversation waits aside, because an event of it could not be projected. */
  | 'parked'
  /** Not in time, or too many are waiting: nothing is known. */
  | 'late';

/**
 * How far a read model is, as its projectors say after every commit.
 *
 * In production: `src/platform/nats/projectionProgress.ts`.
 * Held by `test/unit/platform/nats/projectionProgress.test.ts`.
 */
export interface ReadModelProgress {
  /** Waits until the event of this conversation at `seq` is in the read model, at most `timeoutMs`. */
  waitFor(conversationId: string, seq: number, timeoutMs: number): Promise<Arrival>;
}
