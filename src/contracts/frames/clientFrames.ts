import { z } from 'zod';
import {
  AnyEmoji,
  AttachmentIds,
  ClientMessageId,
  Content,
  ConversationId,
  Emoji,
  MessageId,
  Seq,
  saysSomething,
  UserId,
  Words,
} from '../ids.ts';
import { PRESENCE_USERS_MAX } from '../limits.ts';
import { Epoch } from '../position.ts';
import { AckLevel } from './ackLevel.ts';

/**
 * Frames of the native WebSocket protocol (`chat.v1`): JSON text, one object each. `id` is the client's number for
 * its request and comes back with the answer.
 */
export const WS_SUBPROTOCOL = 'chat.v1';

/** Longest frame taken from a client: 8,000 characters, each escaped at its longest, and the rest of the frame. */
export const FRAME_BYTES_MAX = 128 * 1_024;

/**
 * Above the soft limit of {@link FRAME_BYTES_MAX} a client is closed with a reason (1009); above this hard one
 * uWebSockets.js drops the connection while the frame is still coming in, so nothing larger is ever held.
 */
export const FRAME_BYTES_HARD_MAX = 2 * FRAME_BYTES_MAX;

const RequestId = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

/** In place of a conversation's id: all conversations that the user takes part in, also new ones. */
export const INBOX = '*';

/** Which message is to be changed, and where it is in the log, if the client knows: saves a search. */
const change = {
  id: RequestId,
  conversationId: ConversationId,
  messageId: MessageId,
  seq: Seq.optional(),
};

export const ClientFrame = z.discriminatedUnion('op', [
  z.strictObject({
    op: z.literal('join'),
    id: RequestId,
    conversationId: z.union([z.literal(INBOX), ConversationId]),
    after: Seq.optional(),
    /** The epoch under which `after` was seen; a different one now means that sequences cannot be compared. */
    epoch: Epoch.optional(),
  }),
  z.strictObject({
    op: z.literal('leave'),
    id: RequestId,
    conversationId: z.union([z.literal(INBOX), ConversationId]),
  }),
  z.strictObject({ op: z.literal('read'), id: RequestId, conversationId: ConversationId, seq: Seq }),
  /** Has no answer. */
  z.strictObject({ op: z.literal('typing'), conversationId: ConversationId }),
  saysSomething(
    z.strictObject({
      op: z.literal('send'),
      id: RequestId,
      conversationId: ConversationId,
      clientMessageId: ClientMessageId.optional(),
      content: Words.optional(),
      replyTo: MessageId.nullable().optional(),
      attachments: AttachmentIds.optional(),
      /** `durable`: answer when the history has it too. */
      level: AckLevel.optional(),
    }),
  ),
  z.strictObject({ op: z.literal('ping'), id: RequestId }),
  z.strictObject({ op: z.literal('edit'), ...change, content: Content }),
  /** `erase` takes the bytes out of the log as well. */
  z.strictObject({ op: z.literal('delete'), ...change, erase: z.boolean().optional() }),
  z.strictObject({ op: z.literal('react'), ...change, emoji: Emoji }),
  z.strictObject({ op: z.literal('unreact'), ...change, emoji: AnyEmoji }),
  z.strictObject({
    op: z.literal('presence'),
    id: RequestId,
    userIds: z.array(UserId).min(1).max(PRESENCE_USERS_MAX),
  }),
]);

export type ClientFrame = z.infer<typeof ClientFrame>;
export type FrameOf<Op extends ClientFrame['op']> = Extract<ClientFrame, { op: Op }>;

/** What the query of `/ws?userId=…` must hold. */
export const WsQuery = z.object({ userId: UserId });
