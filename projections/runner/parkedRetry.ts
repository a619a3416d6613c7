import type { QueuedEvent } from './groupQueue.ts';
import type { LoggedEvent } from './projection.ts';
import type { ParkedConversation } from './store.ts';

/** What one chunk of a parked conversation comes to. */
export interface ParkedRetry {
  readonly events: readonly LoggedEvent[];
  readonly park: readonly ParkedConversation[];
  readonly unpark: readonly string[];
}

/**
 * Projects a chunk up to the first event that cannot be read. The conversation stays parked from there on, or from the next
 * chunk on; it is parked no longer when nothing is left.
 *
 * @param chunk events from `parked.seq` on, and whether more of them follow
 */
export function retryParked(
  parked: ParkedConversation,
  chunk: { readonly events: readonly QueuedEvent[]; readonly more: boolean },
): ParkedRetry {
  const events: LoggedEvent[] = [];
  for (const { seq, event, error } of chunk.events) {
    if (event === undefined) return { events, park: [parkedAgain(parked, seq, error.message)], unpark: [] };
    events.push({ seq, event });
  }
  if (!chunk.more) return { events, park: [], unpark: [parked.conversationId] };
  const next = (events.at(-1)?.seq ?? parked.seq - 1) + 1;
  return { events, park: [{ ...parked, seq: next }], unpark: [] };
}

/** After a retry that failed at `seq`: until an operator asks for the next. */
export function parkedAgain(parked: ParkedConversation, seq: number, error: string): ParkedConversation {
  return { ...parked, seq, error, attempts: parked.attempts + 1, retryRequested: false };
}
