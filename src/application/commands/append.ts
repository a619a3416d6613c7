import { ChatError } from '../../contracts/errors.ts';
import { encodeEvent } from '../../contracts/events/events.ts';
import { type ChatEvent, categoryOf } from '../../domain/conversation/events.ts';
import { StoreFullError } from '../../ports/attachmentStore.ts';
import {
  type AppendResult,
  type EventLog,
  EventTooLargeError,
  LogFullError,
  LogOverloadedError,
  LogUnavailableError,
  UnknownOutcomeError,
} from '../../ports/eventLog.ts';

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
  then: (result: AppendResult) => T,
): Promise<T> {
  const { conversationId } = event;
  const request = { conversationId, category: categoryOf(event), bytes: encodeEvent(event), idempotencyKey };
  return log.append(expectedSeq === undefined ? request : { ...request, expectedSeq }).then(then, rethrow);
}

function rethrow(cause: unknown): never {
  throw asChatError(cause);
}

/** Room is made by people: asking every second does not help. */
const FULL_RETRY_MS = 30_000;
/** A full store empties by what is swept and erased, not by the second. */
const STORE_FULL_RETRY_MS = 60_000;

/** Faults of the log as clients see them; anything else stays what it is. */
export function asChatError(cause: unknown): unknown {
  if (cause instanceof StoreFullError) {
    const detail = 'The store of uploads is full; nothing was stored.';
    return new ChatError('overloaded', detail, { cause, retryAfterMs: STORE_FULL_RETRY_MS });
  }
  if (cause instanceof LogFullError) {
    const detail = `${cause.message} Nothing was stored; reading works.`;
    return new ChatError('log_unavailable', detail, { cause, retryAfterMs: FULL_RETRY_MS });
  }
  if (cause instanceof LogUnavailableError) {
    return new ChatError('log_unavailable', 'The log takes nothing right now; nothing was stored.', {
      cause,
    });
  }
  if (cause instanceof LogOverloadedError) {
    return new ChatError('overloaded', 'Too many appends are waiting; nothing was stored.', { cause });
  }
  if (cause instanceof UnknownOutcomeError) {
    const detail = 'The log did not answer in time; retry with the same clientMessageId.';
    return new ChatError('unknown_outcome', detail, { cause });
  }
  if (cause instanceof EventTooLargeError)
    return new ChatError('payload_too_large', cause.message, { cause });
  return cause;
}
