import { z } from 'zod';
import { Timestamp } from '../../events/events.ts';
import { ConversationId, Seq, StoredTitle, StoredUserId } from '../../ids.ts';
import { PositionText } from '../../position.ts';
import { MessageView } from './messages.ts';

/** What the HTTP API answers about conversations. These schemas describe: no answer is checked while it is served. */

const conversation = {
  id: ConversationId,
  title: StoredTitle.nullable(),
  visibility: z.enum(['members', 'open']),
  participantIds: z.array(StoredUserId).readonly(),
  createdBy: StoredUserId,
  createdAt: Timestamp,
  archived: z.boolean(),
};

export const ConversationView = z
  .object(conversation)
  .readonly()
  .meta({ id: 'Conversation', description: 'A conversation as clients see it.' });
export type ConversationView = z.infer<typeof ConversationView>;

export const ConversationSummary = z
  .object({
    ...conversation,
    lastMessage: MessageView.nullable(),
    lastActivityAt: Timestamp,
    messageCount: z.number().int().min(0).meta({ description: 'All ever posted, deleted ones included.' }),
    unreadCount: z.number().int().min(0).meta({
      description:
        'Messages after the latest that this user has certainly seen: marked as read, or their own; without deleted ones.',
    }),
  })
  .readonly()
  .meta({ id: 'ConversationSummary', description: "A conversation in a user's list." });
export type ConversationSummary = z.infer<typeof ConversationSummary>;

export const ChangedConversation = z
  .object({ conversation: ConversationView, seq: Seq, position: PositionText })
  .meta({
    id: 'ChangedConversation',
    description: 'The conversation after the change, and where the log has it.',
  });

export const CreatedConversation = ChangedConversation.extend({
  duplicate: z
    .boolean()
    .meta({ description: 'An earlier request made it: this is the conversation as it is now.' }),
}).meta({ id: 'CreatedConversation', description: 'The conversation, and where the log has it.' });

export const OneConversation = z.object({ conversation: ConversationView }).meta({ id: 'OneConversation' });

export const ConversationPage = z
  .object({
    conversations: z.array(ConversationSummary),
    nextCursor: z
      .string()
      .nullable()
      .meta({ description: 'The `cursor` of the next page; null: this is the last.' }),
  })
  .meta({ id: 'ConversationPage', description: 'The most recently active first.' });
