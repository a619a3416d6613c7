import { z } from 'zod';
import { ChatEventSchema } from '../events/events.ts';
import { FieldErrorSchema } from '../http/answers/problem.ts';
import { ConversationId, MessageId, Seq, StoredUserId } from '../ids.ts';
import { Epoch, PositionText } from '../position.ts';
import { AckLevel } from './ackLevel.ts';

/**
 * What the server sends on a socket. These schemas describe, for the API documents and the types: no frame is checked
 * while it is sent, each would cost more than all the rest of its way.
 */

/** The client's number for the request that is answered. */
const id = z.number().int().min(0);
const retryAfterMs = z.number().min(0);
/** Of a conversation, or the inbox. */
const followed = z.union([z.literal('*'), ConversationId]);

/** Everything but `event`. Each has an id by which the documents name it; without one it is named after its `op`. */
export const ServerFrame = z.union([
  z.object({ op: z.literal('joined'), id, conversationId: followed, head: Seq, epoch: Epoch }).meta({
    id: 'JoinedFrame',
    description:
      'The answer to `join`; the events up to `head` that were asked for come next, then live ones.',
  }),
  z.object({ op: z.literal('left'), id: id.nullable(), conversationId: followed }).meta({
    id: 'LeftFrame',
    description:
      "The answer to `leave`. Without a request's number: the user was removed from the conversation.",
  }),
  z
    .object({ op: z.literal('typing'), conversationId: ConversationId, userId: StoredUserId })
    .meta({ id: 'TypingFrame', description: 'Somebody else is typing.' }),
  z
    .object({
      op: z.literal('ack'),
      id,
      messageId: MessageId,
      seq: Seq,
      level: AckLevel,
      duplicate: z.boolean(),
    })
    .meta({ id: 'SentFrame', description: 'The answer to `send`: the message is stored.' }),
  z
    .object({ op: z.literal('ack'), id, conversationId: ConversationId, seq: Seq })
    .meta({ id: 'ReadFrame', description: 'The answer to `read`: how far the user has read now.' }),
  z
    .object({
      op: z.literal('changed'),
      id,
      messageId: MessageId,
      seq: Seq,
      position: PositionText,
      at: z.iso.datetime({ precision: 3 }),
      erased: z.number().int().min(0).optional(),
    })
    .meta({
      id: 'ChangedFrame',
      description:
        'The answer to `edit`, `delete`, `react` and `unreact`: where the change is in the log, and when it was made; ' +
        'of an erasure also how many events it took out of the log.',
    }),
  z
    .object({
      op: z.literal('presence'),
      id,
      presence: z.record(z.string(), z.enum(['online', 'offline'])),
    })
    .meta({ id: 'PresenceFrame', description: 'The answer to `presence`.' }),
  z.object({ op: z.literal('pong'), id }).meta({ id: 'PongFrame', description: 'The answer to `ping`.' }),
  z.object({ op: z.literal('resync'), conversationId: followed, reason: z.enum(['epoch', 'expired']) }).meta({
    id: 'ResyncFrame',
    description: 'Forget what you have of the conversation, read its history, and join again.',
  }),
  z
    .object({ op: z.literal('draining'), retryAfterMs })
    .meta({ id: 'DrainingFrame', description: 'The edge stops: come back after this time.' }),
  z
    .object({
      op: z.literal('error'),
      id: id.nullable(),
      code: z.string(),
      detail: z.string(),
      retryable: z.boolean(),
      retryAfterMs: retryAfterMs.optional(),
      errors: z.array(FieldErrorSchema).readonly().optional(),
    })
    .meta({ id: 'ErrorFrame', description: 'The request with this number failed; null: whichever it was.' }),
]);
export type ServerFrame = z.infer<typeof ServerFrame>;

/** Put together from stored bytes by the encoder of the edge. */
export const EventFrame = z
  .object({ op: z.literal('event'), seq: Seq, prev: Seq, event: ChatEventSchema })
  .meta({
    id: 'EventFrame',
    description: 'What happened, linked to the event before it in its conversation by `prev` (0: the first).',
  });
