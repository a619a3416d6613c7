import { ChatError } from '../contracts/errors.ts';
import type { Rejection, RejectionReason } from '../domain/conversation/rejections.ts';
import { PARTICIPANTS_MAX } from '../domain/conversation/state.ts';

const ANSWERS: Record<RejectionReason, () => ChatError> = {
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
  NotTheAuthor: () => new ChatError('forbidden', 'Only its author may edit or delete a message.'),
};

/** What a client is told when the domain refuses. */
export function refusal(rejection: Rejection): ChatError {
  return ANSWERS[rejection.rejected]();
}
