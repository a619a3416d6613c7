import { ChatError } from '../contracts/errors.ts';
import { REACTION_KINDS_MAX } from '../domain/conversation/message.ts';
import type { Rejection, RejectionReason } from '../domain/conversation/rejections.ts';
import { PARTICIPANTS_MAX } from '../domain/conversation/state.ts';
import { StoreFullError } from '../ports/attachmentStore.ts';
import {
  EventTooLargeError,
  LogFullError,
  LogOverloadedError,
  LogUnavailableError,
  UnknownOutcomeError,
} from '../ports/eventLog.ts';

const REJECTIONS: Record<RejectionReason, () => ChatError> = {
  ConversationNotFound: () =>
    new ChatError('not_found', 'There is no such conversation, or it is not open to this user.'),
  ConversationAlreadyExists: () => new ChatError('conflict', 'A conversation with this id exists already.'),
  ConversationIsArchived: () =>
    new ChatError('conflict', 'The conversation is archived; set "archived" to false to go on in it.'),
  NotAParticipant: () =>
    new ChatError('forbidden', 'Only participants of the conversation may do this; join it first.'),
  TooManyParticipants: () =>
    new ChatError('invalid_request', `A conversation has at most ${PARTICIPANTS_MAX} participants.`, {
      errors: [{ path: 'participantIds', reason: `more than ${PARTICIPANTS_MAX} participants in all` }],
    }),
  MessageNotFound: () => new ChatError('not_found', 'There is no such message in this conversation.'),
  TooManyReactionKinds: () =>
    new ChatError(
      'conflict',
      `A message takes at most ${REACTION_KINDS_MAX} kinds of reactions; use one that is there.`,
    ),
  NotTheAuthor: () => new ChatError('forbidden', 'Only its author may edit or delete a message.'),
};

/** The error that a client gets for a rejection of the domain. */
export function rejectionError(rejection: Rejection): ChatError {
  return REJECTIONS[rejection.rejected]();
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
