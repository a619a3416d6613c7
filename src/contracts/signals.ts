import { z } from 'zod';
import {
  PRESENCE_ANNOUNCEMENT_SUBJECT,
  PRESENCE_REQUEST_SUBJECT,
  typingConversation,
  typingSubject,
} from './events/subjects.ts';
import { ConversationId, StoredUserId } from './ids.ts';

/**
 * Signals: what is worth knowing only now and is stored nowhere. They may get lost. On the wire each is JSON on a
 * plain subject; fields that this version does not know are passed over, so that a newer process may add some.
 */

/** Users in one announcement, at most, coming and going together. */
export const ANNOUNCED_USERS_MAX = 500;

/** Longest signal: 500 users of 128 characters with four bytes each, and the rest of the announcement. */
export const SIGNAL_BYTES_MAX = 300_000;

/** A process that has sockets; another one after every start. */
const EdgeId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1–64 characters of A–Z, a–z, 0–9, _ and -');
const Users = z.array(StoredUserId).max(ANNOUNCED_USERS_MAX);
const Count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

const Typing = z.object({ type: z.literal('typing'), conversationId: ConversationId, userId: StoredUserId });
const TypingBody = Typing.pick({ userId: true });

/** Who came online on an edge, and who went offline there, since it last said so. */
const PresenceChange = z
  .object({
    type: z.literal('presence'),
    full: z.literal(false),
    edgeId: EdgeId,
    online: Users,
    offline: Users,
  })
  .refine(
    ({ online, offline }) => online.length + offline.length <= ANNOUNCED_USERS_MAX,
    `must name at most ${ANNOUNCED_USERS_MAX} users`,
  );

/**
 * A part of a round in which an edge names everybody it has. Parts count from 0 and the `last` one says that it is:
 * who heard all parts of a round knows that nobody else is there.
 */
const PresencePart = z.object({
  type: z.literal('presence'),
  full: z.literal(true),
  edgeId: EdgeId,
  round: Count,
  part: Count,
  last: z.boolean(),
  online: Users,
});

const Presence = z.discriminatedUnion('full', [PresenceChange, PresencePart]);

export type TypingSignal = z.infer<typeof Typing>;
export type PresenceSignal = z.infer<typeof Presence>;
export type PresencePart = z.infer<typeof PresencePart>;
export type Signal = TypingSignal | PresenceSignal | { type: 'presenceRequest' };

export interface EncodedSignal {
  readonly subject: string;
  readonly text: string;
}

/**
 * A signal as it travels.
 *
 * @throws ZodError when it is not as the contract says; the subject is then certainly not a strange one
 */
export function encodeSignal(signal: Signal): EncodedSignal {
  switch (signal.type) {
    case 'typing': {
      const { conversationId, userId } = Typing.parse(signal);
      return { subject: typingSubject(conversationId), text: JSON.stringify({ userId }) };
    }
    case 'presence':
      return { subject: PRESENCE_ANNOUNCEMENT_SUBJECT, text: JSON.stringify(Presence.parse(signal)) };
    case 'presenceRequest':
      return { subject: PRESENCE_REQUEST_SUBJECT, text: '{}' };
    default:
      return signal satisfies never;
  }
}

/** What arrived, checked; `null` for what is no signal. The text is at most {@link SIGNAL_BYTES_MAX} bytes long. */
export function decodeSignal(subject: string, text: string): Signal | null {
  if (subject === PRESENCE_REQUEST_SUBJECT) return { type: 'presenceRequest' };
  const conversationId = typingConversation(subject);
  if (conversationId !== null) return decodeTyping(conversationId, text);
  if (subject !== PRESENCE_ANNOUNCEMENT_SUBJECT) return null;
  return Presence.safeParse(parseJson(text)).data ?? null;
}

function decodeTyping(conversationId: string, text: string): TypingSignal | null {
  if (!ConversationId.safeParse(conversationId).success) return null;
  const body = TypingBody.safeParse(parseJson(text));
  return body.success ? { type: 'typing', conversationId, userId: body.data.userId } : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
