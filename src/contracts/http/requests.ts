import { z } from 'zod';
import { PARTICIPANTS_MAX } from '../../domain/conversation/state.ts';
import {
  AnyEmoji,
  AttachmentIds,
  ClientConversationId,
  ClientMessageId,
  Content,
  ConversationId,
  Emoji,
  MessageId,
  Seq,
  saysSomething,
  Title,
  text,
  UploadId,
  UserId,
  Words,
} from '../ids.ts';
import { PRESENCE_USERS_MAX, SEARCH_LENGTH_MAX } from '../limits.ts';
import { Epoch, PositionText } from '../position.ts';

/**
 * Bodies and queries of the HTTP API. Unknown fields are refused, so that a misspelt one is noticed. What it answers is
 * in `answers/`.
 */

const participantIds = z.array(UserId).min(1).max(PARTICIPANTS_MAX);
const seqText = z
  .string()
  .regex(/^\d{1,15}$/, 'must be a sequence number')
  .transform(Number);

/** How many of a list, from a query's text: 1–200. */
const limit = z
  .string()
  .regex(/^\d{1,3}$/, 'must be a whole number from 1 to 200')
  .transform(Number)
  .pipe(z.number().min(1).max(200))
  .default(50)
  .meta({
    description: 'How many at most: 1–200, 50 if absent.',
    pattern: '^(?!0+$)(0?\\d{1,2}|1\\d\\d|200)$',
  });

/** Ids in paths; anything else is refused before it gets near a subject. */
export const ConversationPath = z.strictObject({ conversationId: ConversationId });
export const MessagePath = z.strictObject({ messageId: MessageId });
export const UploadPath = z.strictObject({ uploadId: UploadId });
export const AddReactionPath = z.strictObject({ messageId: MessageId, emoji: Emoji });
/** What an earlier version took can be taken back. */
export const RemoveReactionPath = z.strictObject({ messageId: MessageId, emoji: AnyEmoji });

/** Of calls that take no query: a misspelt or misplaced field is noticed rather than ignored. */
export const EmptyQuery = z.strictObject({});

export const CreateConversationBody = z.strictObject({
  userId: UserId,
  participantIds: z.array(UserId).max(PARTICIPANTS_MAX).default([]),
  title: Title.nullable().default(null),
  visibility: z.enum(['members', 'open']).default('members'),
  /** Or the header `Idempotency-Key`. */
  clientConversationId: ClientConversationId.optional(),
});

export const ChangeConversationBody = z
  .strictObject({ userId: UserId, title: Title.nullable().optional(), archived: z.boolean().optional() })
  .refine((body) => body.title !== undefined || body.archived !== undefined, 'must name a title or archived')
  .meta({ anyOf: [{ required: ['title'] }, { required: ['archived'] }] });

export const ParticipantsBody = z.strictObject({ userId: UserId, participantIds });

export const PostMessageBody = saysSomething(
  z.strictObject({
    conversationId: ConversationId,
    userId: UserId,
    content: Words.optional(),
    clientMessageId: ClientMessageId.optional(),
    replyTo: MessageId.nullable().default(null),
    attachments: AttachmentIds.optional(),
  }),
);

/** The fields beside the file of an upload. */
export const UploadFields = z.strictObject({ conversationId: ConversationId, userId: UserId });

export const ReadUploadQuery = z.strictObject({ userId: UserId.optional() });

export const EditMessageBody = z.strictObject({
  conversationId: ConversationId,
  userId: UserId,
  content: Content,
  /** Where the message is in the log; without it the conversation is searched. */
  seq: Seq.optional(),
});

export const DeleteMessageBody = z.strictObject({
  conversationId: ConversationId,
  userId: UserId,
  seq: Seq.optional(),
});

/** `?erase=true` takes the bytes out of the log as well; `false` is as good as absent. */
export const DeleteMessageQuery = z.strictObject({
  erase: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .default(false)
    .meta({ description: '`true`: its bytes are taken out of the log as well.' }),
});

export const ReactionBody = z.strictObject({
  conversationId: ConversationId,
  userId: UserId,
  /** Where the message is in the log; without it the conversation is searched. */
  seq: Seq.optional(),
});

export const MarkReadBody = z.strictObject({ userId: UserId, seq: Seq });

export const ListConversationsQuery = z.strictObject({
  userId: UserId,
  cursor: z.string().min(1).max(200).optional().meta({ description: 'As the answer before gave it.' }),
  limit,
  position: PositionText.optional(),
});

export const SearchQuery = z.strictObject({
  userId: UserId,
  q: text('q', SEARCH_LENGTH_MAX).meta({
    description:
      'Words that must all be there, `"a phrase"`, `or`, `-not`. The last word also finds what begins with it (three' +
      ' characters or more), unless something comes after it, be it a space. What has no word to be found finds nothing.',
    examples: ['hello -world'],
  }),
  conversationId: ConversationId.optional(),
  cursor: seqText.optional().meta({ description: 'As the answer before gave it.' }),
  limit,
  position: PositionText.optional(),
});

export const EventStreamQuery = z.strictObject({
  userId: UserId.optional(),
  after: seqText.optional().meta({ description: 'The last event seen; absent: only what comes.' }),
  epoch: Epoch.optional().meta({ description: 'The epoch under which it was seen.' }),
});

export const LastEventId = z.strictObject({ 'Last-Event-ID': seqText });

export const ReadMessagesQuery = z
  .strictObject({
    userId: UserId.optional(),
    before: seqText
      .optional()
      .meta({ description: 'Messages with a smaller `seq`. Not together with `after`.' }),
    after: seqText.optional().meta({ description: 'Messages with a greater `seq`.' }),
    limit,
    position: PositionText.optional().meta({
      description: 'Read your own writes: the answer waits, briefly, until the history is there.',
    }),
  })
  .refine(
    (query) => query.before === undefined || query.after === undefined,
    'takes before or after, not both',
  );

export const PresenceQuery = z.strictObject({ userIds: z.array(UserId).min(1).max(PRESENCE_USERS_MAX) });

export const GetConversationQuery = z.strictObject({ userId: UserId.optional() });
