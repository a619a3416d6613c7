import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeEvent,
  encodeEvent,
  tryDecodeEvent,
  UndecodableEventError,
  UnknownEventError,
} from '../../../../src/contracts/events/events.ts';
import { chatEvent } from '../../../support/domain/arbitraries.ts';
import { C1, created, M1, post } from '../../../support/domain/conversations.ts';

const posted = { ...post(), type: 'MessagePosted' as const, v: 1 as const };
const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const decode = (value: unknown) => decodeEvent(bytesOf(value), 7);

describe('events', () => {
  it('come back from their bytes as they were', () => {
    fc.assert(
      fc.property(chatEvent, (event) => {
        expect(decodeEvent(encodeEvent(event), 1)).toStrictEqual(event);
      }),
      { numRuns: 300 },
    );
  });

  it('are stored as the JSON of the protocol, fields in its order', () => {
    const bytes = encodeEvent({ ...posted, content: 'tea 😀 "quoted"\n' });
    expect(new TextDecoder().decode(bytes)).toBe(
      `{"type":"MessagePosted","v":1,"messageId":"${posted.messageId}","conversationId":"${C1}",` +
        `"userId":"alice","clientMessageId":"k1","content":"tea 😀 \\"quoted\\"\\n","replyTo":null,` +
        `"attachments":[],"at":"${posted.at}"}`,
    );
  });

  it('hold no words only when they hold files', () => {
    const attachment = { id: 'a', name: 'a', mediaType: 'text/plain', bytes: 1, sha256: '0'.repeat(64) };
    const wordless = { ...posted, content: '', attachments: [attachment] };
    expect(decodeEvent(encodeEvent(wordless), 1)).toStrictEqual(wordless);
    expect(() => decode({ ...wordless, attachments: [] })).toThrow(UndecodableEventError);
    expect(() => decode({ ...wordless, content: undefined })).toThrow(UndecodableEventError);
  });

  it('hold 8,000 characters, whatever these are, and not one more', () => {
    for (const character of ['x', '😀']) {
      const longest = { ...posted, content: character.repeat(8_000) };
      expect(decodeEvent(encodeEvent(longest), 1)).toStrictEqual(longest);
      expect(() => decode({ ...posted, content: character.repeat(8_001) })).toThrow(UndecodableEventError);
    }
  });

  it.each(['\0', 'a\0b', '\ud83d', 'a\udc00'])('never hold the text %j', (text) => {
    const attachment = { id: 'a', name: text, mediaType: 'text/plain', bytes: 1, sha256: '0'.repeat(64) };
    for (const event of [
      { ...posted, content: text },
      { ...posted, userId: text },
      { ...posted, clientMessageId: text },
      { ...posted, attachments: [attachment] },
      {
        type: 'MessageEdited',
        v: 1,
        conversationId: C1,
        userId: 'alice',
        at: posted.at,
        messageId: M1,
        content: text,
      },
      created({ title: text }),
      created({ participantIds: [text] }),
    ]) {
      expect(() => decode(event)).toThrow(UndecodableEventError);
    }
  });
});

describe('bytes that are no event', () => {
  it.each([
    ['a version of the future', { ...posted, v: 2 }],
    ['an unknown type', { ...posted, type: 'MessageSung' }],
    ['no type', { ...posted, type: undefined }],
    ['a malformed conversationId', { ...posted, conversationId: 'c_*' }],
    ['a time without milliseconds', { ...posted, at: '2026-01-01T00:00:00Z' }],
    ['a time with an offset', { ...posted, at: '2026-01-01T00:00:00.000+01:00' }],
    ['no time at all', { ...posted, at: 'tomorrow' }],
    ['eleven attachments', { ...posted, attachments: new Array(11).fill({}) }],
    ['no state', { ...created(), state: undefined }],
    ['too many participants', created({ participantIds: Array.from({ length: 2_001 }, (_, i) => `u${i}`) })],
    ['an array', [posted]],
    ['null', null],
  ])('are refused: %s', (_what, value) => {
    expect(() => decode(value)).toThrow(UndecodableEventError);
  });

  it.each([
    ['nothing', new Uint8Array()],
    ['half of one', encodeEvent(posted).slice(0, 40)],
    ['not UTF-8', Uint8Array.of(0x22, 0xff, 0x22)],
  ])('are refused: %s', (_what, bytes) => {
    expect(() => decodeEvent(bytes, 7)).toThrow(UndecodableEventError);
  });

  it('are named by their sequence and by what is wrong', () => {
    expect(() => decode({ ...posted, messageId: 'x' })).toThrow(
      /^Event 7 of the log cannot be read: messageId: /,
    );
    expect(() => decode({ ...posted, messageId: 'x' })).toThrow(expect.objectContaining({ seq: 7 }));
  });

  it('never make anything else be thrown', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.jsonValue().map(bytesOf)), (bytes) => {
        expect(() => decodeEvent(bytes, 1)).toThrow(UndecodableEventError);
      }),
    );
  });
});

describe('reading of which one event may fail', () => {
  it('gives the event, and null for bytes that cannot be read', () => {
    expect(tryDecodeEvent(encodeEvent(posted), 7)).toStrictEqual(posted);
    expect(tryDecodeEvent(bytesOf({ ...posted, messageId: 'x' }), 7)).toBeNull();
    expect(tryDecodeEvent(new Uint8Array(), 7)).toBeNull();
  });

  it('stops at what a newer version wrote, unless the reader says that it does not matter', () => {
    const newer = bytesOf({ ...posted, v: 2 });
    expect(() => tryDecodeEvent(newer, 7)).toThrow(UnknownEventError);
    expect(tryDecodeEvent(newer, 7, { skipUnknown: true })).toBeNull();
  });
});
