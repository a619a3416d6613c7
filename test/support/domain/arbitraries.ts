import fc from 'fast-check';
import { EARLIEST, TOO_LATE } from '../../../src/contracts/times.ts';
import type { ChatEvent } from '../../../src/domain/conversation/events.ts';

/** Objects as JSON.parse makes them; fast-check would also make some without a prototype. */
const record = <T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record<T>(model, { noNullPrototype: true });

const idCharacter = fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-');
const idTail = (length: number) => fc.string({ unit: idCharacter, minLength: length, maxLength: length });

/** Everything that the contracts accept, at random: ids, texts with astral characters, whole events. */
export const conversationId = idTail(21).map((tail) => `c_${tail}`);
export const messageId = idTail(22).map((tail) => `m_${tail}`);

const astral = fc.constantFrom('😀', '𝔘', '𐍈', '👩‍👩‍👧', '\u{10ffff}');
const character = fc.oneof({ weight: 4, arbitrary: fc.string({ unit: 'binary', maxLength: 1 }) }, astral);
const textOf = (lengthMax: number) =>
  fc
    .string({ unit: character, minLength: 1, maxLength: lengthMax })
    .map((value) => value.replaceAll('\0', '') || 'x');

export const content = textOf(60);
/** As `content`, but short: what a reaction is named. */
export const emoji = fc.constantFrom('👍', '❤️', ':shipit:', '👩‍👩‍👧', 'x');
export const userId = fc.string({
  unit: fc.oneof(fc.constantFrom(...' !"\'\\/.*>{}äßжあ'), idCharacter, fc.constantFrom('😀', '𝔘')),
  minLength: 1,
  maxLength: 20,
});

const at = fc
  .date({ min: new Date(EARLIEST), max: new Date(Date.parse(TOO_LATE) - 1), noInvalidDate: true })
  .map((date) => date.toISOString());
const state = record({
  title: fc.option(textOf(40)),
  visibility: fc.constantFrom('members' as const, 'open' as const),
  participantIds: fc.array(userId, { maxLength: 8 }),
  createdBy: userId,
  createdAt: at,
  archived: fc.boolean(),
});
const attachment = record({
  id: idTail(20),
  name: textOf(30),
  mediaType: fc.constantFrom('image/png', 'text/plain'),
  bytes: fc.nat(),
  sha256: fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 64, maxLength: 64 }),
});

const base = { v: fc.constant(1 as const), conversationId, userId, at };
const typed = <T extends ChatEvent['type']>(type: T) => ({ type: fc.constant(type), ...base });

export const chatEvent: fc.Arbitrary<ChatEvent> = fc.oneof(
  record({
    ...typed('MessagePosted'),
    messageId,
    clientMessageId: userId,
    content,
    replyTo: fc.option(messageId),
    attachments: fc.array(attachment, { maxLength: 3 }),
  }),
  record({
    ...typed('MessagePosted'),
    messageId,
    clientMessageId: userId,
    content: fc.constant(''),
    replyTo: fc.constant(null),
    attachments: fc.array(attachment, { minLength: 1, maxLength: 3 }),
  }),
  record({ ...typed('MessageEdited'), messageId, content }),
  record({ ...typed('MessageDeleted'), messageId }),
  record({
    ...typed('MessageDeleted'),
    messageId,
    erased: record({ seq: fc.integer({ min: 1 }), userId, replyTo: fc.option(messageId), at }),
  }),
  record({ ...typed('ReactionAdded'), messageId, emoji }),
  record({ ...typed('ReactionRemoved'), messageId, emoji }),
  record({ ...typed('ConversationCreated'), state }),
  record({ ...typed('ConversationRenamed'), state }),
  record({ ...typed('ConversationArchived'), state }),
  record({ ...typed('ParticipantAdded'), participantIds: fc.array(userId, { maxLength: 4 }), state }),
  record({ ...typed('ParticipantRemoved'), participantIds: fc.array(userId, { maxLength: 4 }), state }),
);
