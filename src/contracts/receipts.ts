import { z } from 'zod';
import { partitionOf } from './events/subjects.ts';
import { ConversationId, Seq, StoredUserId } from './ids.ts';

/** How far a user has read a conversation, as it is stored. */
export const ReceiptSchema = z.object({
  conversationId: ConversationId,
  userId: StoredUserId,
  seq: Seq,
  at: z.iso.datetime({ precision: 3 }),
});

export type Receipt = z.infer<typeof ReceiptSchema>;

export const RECEIPTS_STREAM = 'CHAT_RECEIPTS';

/**
 * `chat.receipts.<partition>.<conversationId>.<user>`. The stream keeps the newest of each subject.
 *
 * @param userHash 22 characters of base64url: a userId may hold anything, and nothing of it gets into a subject
 */
export function receiptSubject(conversationId: string, userHash: string): string {
  return `chat.receipts.${partitionOf(conversationId)}.${conversationId}.${userHash}`;
}
