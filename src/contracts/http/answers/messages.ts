import { z } from 'zod';
import { AttachmentSchema, Timestamp } from '../../events/events.ts';
import { AckLevel } from '../../frames/ackLevel.ts';
import { AnyEmoji, ConversationId, MessageId, Seq, StoredUserId } from '../../ids.ts';
import { PositionText } from '../../position.ts';

/** What the HTTP API answers about messages. These schemas describe: no answer is checked while it is served. */

const message = {
  messageId: MessageId,
  seq: Seq,
  userId: StoredUserId,
  content: z.string().meta({ description: 'Empty once deleted, and of a message that is files alone.' }),
  replyTo: MessageId.nullable(),
  attachments: z.array(AttachmentSchema.readonly()).readonly(),
  reactions: z
    .record(z.string(), z.array(StoredUserId).readonly())
    .readonly()
    .meta({ description: 'Who reacted with what, in that order.', examples: [{ '👍': ['alice', 'bob'] }] }),
  editedAt: Timestamp.nullable(),
  deletedAt: Timestamp.nullable(),
  at: Timestamp,
};

export const MessageView = z.object(message).readonly().meta({
  id: 'Message',
  description: 'A message as clients see it, from history or right after it was posted.',
});
export type MessageView = z.infer<typeof MessageView>;

export const SearchHit = z
  .object({
    ...message,
    conversationId: ConversationId,
    highlight: z.string().meta({
      description:
        'The text around the words that were searched for, composed (NFC), as HTML: nothing but `<mark>` is markup in it.',
    }),
  })
  .readonly()
  .meta({ id: 'SearchHit', description: 'A message that a search has found.' });
export type SearchHit = z.infer<typeof SearchHit>;

export const SearchPage = z
  .object({
    messages: z.array(SearchHit),
    nextCursor: z
      .string()
      .nullable()
      .meta({ description: 'The `cursor` of the next page; null: this is the last.' }),
  })
  .meta({ id: 'SearchPage', description: 'The latest first.' });

export const LagView = z
  .object({
    events: z
      .number()
      .int()
      .min(0)
      .nullable()
      .meta({ description: 'Events that are missing; `null` while the log does not answer: nobody knows.' }),
    seconds: z
      .number()
      .min(0)
      .meta({ description: 'An upper bound for the age of the oldest event that is missing.' }),
  })
  .readonly()
  .meta({ id: 'Lag', description: 'How far a read model is behind the log.' });
export type LagView = z.infer<typeof LagView>;

export const HistoryPage = z
  .object({
    messages: z.array(MessageView),
    hasMore: z.boolean().meta({ description: 'Whether there are more in the direction that was asked for.' }),
    source: z.enum(['database', 'log']),
    lag: LagView,
  })
  .meta({ id: 'HistoryPage', description: 'The oldest first.' });

export const PostedMessage = z
  .object({
    message: MessageView,
    seq: Seq,
    position: PositionText,
    level: AckLevel,
    duplicate: z.boolean().meta({ description: 'The log had this message already.' }),
  })
  .meta({ id: 'PostedMessage' });

/** `seq` is where the change is in the log, not the message. */
const changed = { messageId: MessageId, seq: Seq, position: PositionText };

export const EditedMessage = z.object({ ...changed, editedAt: Timestamp }).meta({ id: 'EditedMessage' });

export const DeletedMessage = z
  .object({
    ...changed,
    deletedAt: Timestamp,
    erased: z
      .number()
      .int()
      .min(0)
      .optional()
      .meta({ description: 'With `erase=true`: of how many events the bytes were taken out of the log.' }),
  })
  .meta({ id: 'DeletedMessage' });

export const ChangedReaction = z
  .object({ ...changed, emoji: AnyEmoji, at: Timestamp })
  .meta({ id: 'ChangedReaction' });
