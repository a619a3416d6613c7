/** Why the domain refuses a command. Expected, so a value and not an exception. */
export type RejectionReason =
  /** No such conversation, or one that this user must not know of: both answer the same. */
  | 'ConversationNotFound'
  | 'ConversationAlreadyExists'
  | 'ConversationIsArchived'
  /** The conversation may be seen, but only participants do this. */
  | 'NotAParticipant'
  | 'TooManyParticipants'
  /** No such message in this conversation. */
  | 'MessageNotFound'
  | 'TooManyReactionKinds'
  /** Only its author edits or deletes a message. */
  | 'NotTheAuthor';

export interface Rejection {
  readonly rejected: RejectionReason;
}

export function reject(rejected: RejectionReason): Rejection {
  return { rejected };
}

export function isRejection(value: object): value is Rejection {
  return 'rejected' in value;
}
