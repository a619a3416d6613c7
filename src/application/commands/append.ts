import { encodeEvent } from '../../contracts/events/events.ts';
import { type ChatEvent, categoryOf } from '../../domain/conversation/events.ts';
import type { AppendResult, EventLog } from '../../ports/eventLog.ts';
import { asChatError } from '../chatErrors.ts';

/**
 * Appends one event and puts the log's faults into the words of the error catalogue.
 *
 * @param then what to make of the outcome
 * @throws ChatError log_unavailable, overloaded, unknown_outcome or payload_too_large
 */
export function append<T>(
  log: EventLog,
  event: ChatEvent,
  idempotencyKey: string,
  expectedSeq: number | undefined,
  then: (result: AppendResult) => T | Promise<T>,
): Promise<T> {
  const { conversationId } = event;
  const request = { conversationId, category: categoryOf(event), bytes: encodeEvent(event), idempotencyKey };
  return log.append(expectedSeq === undefined ? request : { ...request, expectedSeq }).then(then, rethrow);
}

function rethrow(cause: unknown): never {
  throw asChatError(cause);
}
