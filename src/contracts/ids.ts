import { z } from 'zod';
import { isReaction, normaliseReaction } from './emoji.ts';
import { EMOJI_PATTERN, NAME_PATTERN, PRINTABLE_PATTERN, patterned, TEXT_PATTERN } from './patterns.ts';

/** Printable: no control, format, surrogate or private-use characters, no line or paragraph separators. */
const PRINTABLE = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]{1,128}$/u;
const CONVERSATION_ID = /^c_[A-Za-z0-9_-]{21}$/;
const MESSAGE_ID = /^m_[A-Za-z0-9_-]{22}$/;
const UPLOAD_ID = /^u_[A-Za-z0-9_-]{21}$/;

export const CONTENT_LENGTH_MAX = 8_000;
export const TITLE_LENGTH_MAX = 200;

/**
 * Printable, and neither the first nor the last character shows nothing: nobody is called by blanks alone, and no two users
 * differ by blanks that nobody sees. Blanks are spaces, the empty Braille pattern and what is ignorable by default, such as
 * the Hangul filler.
 */
const VISIBLY_NAMED =
  /^(?![\p{Z}\u2800\p{DI}])[^\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]{0,127}(?![\p{Z}\u2800\p{DI}])[^\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]$/u;
/** A character that is seen, or leaves ink around it. */
const VISIBLE = /[^\p{Z}\p{Cc}\p{Cf}\u2800\p{DI}]/u;

export const UserId = z
  .string()
  .regex(VISIBLY_NAMED, 'must be 1–128 printable characters, of which the first and the last are no blanks')
  .meta({
    id: 'UserId',
    description:
      'A user: 1–128 printable characters, the first and the last no blanks. Opaque and untrusted.',
    ...patterned(NAME_PATTERN, 128),
    examples: ['alice'],
  });

/** A user as stored: what was let in before blanks were refused stays readable. */
export const StoredUserId = z
  .string()
  .regex(PRINTABLE, 'must be 1–128 printable characters')
  .meta({
    id: 'StoredUserId',
    description: 'A user, as stored. Opaque and untrusted.',
    ...patterned(PRINTABLE_PATTERN, 128),
    examples: ['alice'],
  });

export const ConversationId = z
  .string()
  .regex(CONVERSATION_ID, 'must be "c_" followed by 21 characters of A–Z, a–z, 0–9, _ and -')
  .meta({
    id: 'ConversationId',
    description: 'A conversation, as the server named it.',
    examples: ['c_V1StGXR8_Z5jdHi6B-myT'],
  });

export const MessageId = z
  .string()
  .regex(MESSAGE_ID, 'must be "m_" followed by 22 characters of A–Z, a–z, 0–9, _ and -')
  .meta({
    id: 'MessageId',
    description: 'A message; the same for every retry with the same clientMessageId.',
    examples: ['m_9bXyQ0v1Kc2ZrT7uWq3LpA'],
  });

export const UploadId = z
  .string()
  .regex(UPLOAD_ID, 'must be "u_" followed by 21 characters of A–Z, a–z, 0–9, _ and -')
  .meta({ description: 'An uploaded file, as the server named it.' });

export const ATTACHMENTS_MAX = 10;

/** What a message names its attachments by: ids, or what the uploads answered, of which only the id counts. */
export const AttachmentIds = z
  .array(
    z.union([UploadId, z.looseObject({ id: UploadId }).transform(({ id }) => id)], {
      error: 'must be the id of an upload, or an object that holds one as "id"',
    }),
  )
  .max(ATTACHMENTS_MAX)
  .refine((ids) => new Set(ids).size === ids.length, 'must not name an upload twice');

export const ClientMessageId = clientKey(
  'Chosen by the client, once per message: a retry with it is the same message.',
);
export const ClientConversationId = clientKey(
  'Chosen by the client, once per conversation: a retry with it is the same conversation.',
);

/** What a client names something by, so that a repeat is recognised. */
function clientKey(description: string) {
  return z
    .string()
    .regex(PRINTABLE, 'must be 1–128 printable characters')
    .meta({ ...patterned(PRINTABLE_PATTERN, 128), description, examples: ['k1'] });
}

/** A position in the log. Sequences start at 1; 0 stands for "before the first". */
export const Seq = z
  .number()
  .int()
  .min(0)
  .max(Number.MAX_SAFE_INTEGER)
  .meta({ examples: [138] });

/** Text that every part can hold: valid Unicode, no NUL (which Postgres refuses), bounded in code points, not empty. */
export function text(name: string, lengthMax: number) {
  return bounded(z.string().min(1, `${name} must not be empty`), name, lengthMax);
}

function bounded(schema: z.ZodString, name: string, lengthMax: number) {
  return schema
    .superRefine((value, context) => {
      if (!codePointsAtMost(value, lengthMax)) {
        context.addIssue(`${name} must have at most ${lengthMax} characters`);
      }
      if (!value.isWellFormed() || value.includes('\0')) {
        context.addIssue(`${name} must be Unicode text without NUL`);
      }
    })
    .meta({ maxLength: lengthMax, pattern: TEXT_PATTERN });
}

const CONTENT_EXAMPLES = { examples: ['hello, world'] };

export const Content = text('content', CONTENT_LENGTH_MAX).meta(CONTENT_EXAMPLES);

/** The words of a message that may have files instead. See {@link saysSomething}. */
export const Words = bounded(z.string(), 'content', CONTENT_LENGTH_MAX).meta(CONTENT_EXAMPLES);

/** What {@link saysSomething} asks for, for the API documents. */
const WORDS_OR_FILES = {
  anyOf: [
    { required: ['content'], properties: { content: { minLength: 1 } } },
    { required: ['attachments'], properties: { attachments: { minItems: 1 } } },
  ],
};

/** A message has words, or files, or both. */
export function saysSomething<S extends z.ZodType<Said>>(schema: S): S {
  return schema
    .refine(({ content = '', attachments = [] }) => content !== '' || attachments.length > 0, {
      path: ['content'],
      error: 'content must not be empty in a message without attachments',
    })
    .meta(WORDS_OR_FILES);
}

interface Said {
  readonly content?: string | undefined;
  readonly attachments?: readonly unknown[] | undefined;
}

const EMOJI_UNITS_MAX = 64;

/** A reaction that is added: exactly one emoji, or a short name; ❤ and ❤️ are one. */
export const Emoji = z
  .string()
  .max(EMOJI_UNITS_MAX)
  .overwrite(normaliseReaction)
  .refine(isReaction, 'must be exactly one emoji, or the name of one as in :shipit:')
  .meta({ description: 'A reaction: exactly one emoji, or a name as in `:shipit:`.', examples: ['👍'] });

/** A reaction that was added, perhaps by an earlier version, which took others as well. */
export const AnyEmoji = z
  .string()
  .regex(/^[^\p{Cc}\p{Cs}\p{Co}\p{Z}]{1,32}$/u, 'must be 1–32 printable characters without spaces')
  .overwrite(normaliseReaction)
  .meta({
    ...patterned(EMOJI_PATTERN, 32),
    description: 'A reaction, in its one spelling.',
    examples: ['👍'],
  });

/** A title as stored: what was let in before blanks were refused stays readable. */
export const StoredTitle = text('title', TITLE_LENGTH_MAX).meta({ examples: ['hello'] });

export const Title = text('title', TITLE_LENGTH_MAX)
  .refine((title) => isVisible(title), 'title must not be blanks alone')
  .meta({ examples: ['hello'] });

/** Whether a name shows anything. */
export function isVisible(name: string): boolean {
  return VISIBLE.test(name);
}

export function isConversationId(value: string): boolean {
  return CONVERSATION_ID.test(value);
}

export function isMessageId(value: string): boolean {
  return MESSAGE_ID.test(value);
}

function codePointsAtMost(value: string, max: number): boolean {
  if (value.length <= max) return true;
  // A code point takes at most two UTF-16 units: beyond twice the limit there is no need to count.
  return value.length <= 2 * max && [...value].length <= max;
}
