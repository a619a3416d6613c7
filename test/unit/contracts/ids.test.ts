import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  AnyEmoji,
  ClientMessageId,
  CONTENT_LENGTH_MAX,
  Content,
  ConversationId,
  isConversationId,
  MessageId,
  Seq,
  StoredTitle,
  StoredUserId,
  TITLE_LENGTH_MAX,
  Title,
  UploadId,
  UserId,
} from '../../../src/contracts/ids.ts';
import { systemIds } from '../../../src/platform/ids.ts';
import { conversationId, messageId } from '../../support/domain/arbitraries.ts';
import { C1, M1 } from '../../support/domain/conversations.ts';

const accepts = (schema: { safeParse(value: unknown): { success: boolean } }, value: unknown) =>
  schema.safeParse(value).success;

const U1 = `u_${C1.slice(2)}`;

/** What would be understood as part of a subject, a header or a line. */
const DANGEROUS = ['.', '*', '>', ' ', '\r', '\n', '\0', '\t', '\u2028', '/', '%', 'é', '😀', '\ud800'];

describe('ids that become part of subjects', () => {
  it.each([
    [ConversationId, conversationId],
    [MessageId, messageId],
  ])('are accepted when well formed', (schema, arbitrary) => {
    fc.assert(fc.property(arbitrary, (id) => accepts(schema, id)));
  });

  it('are what the server makes', () => {
    for (let i = 0; i < 100; i++) expect(systemIds.conversationId()).toSatisfy(isConversationId);
    expect(accepts(MessageId, systemIds.messageId(C1, 'alice', 'k1'))).toBe(true);
    expect(accepts(UploadId, systemIds.uploadId())).toBe(true);
  });

  it.each(DANGEROUS)('never hold %j, wherever it stands', (character) => {
    for (const [schema, id] of [
      [ConversationId, C1],
      [MessageId, M1],
      [UploadId, U1],
    ] as const) {
      for (let at = 0; at <= id.length; at++) {
        expect(accepts(schema, id.slice(0, at) + character + id.slice(at)), `inserted at ${at}`).toBe(false);
        expect(accepts(schema, id.slice(0, at) + character + id.slice(at + 1)), `put at ${at}`).toBe(false);
      }
    }
  });

  it.each(['', 'c_', C1.slice(0, -1), `${C1}A`, `C${C1.slice(1)}`, M1, 7, null, [C1]])(
    'are not %j',
    (value) => {
      expect(accepts(ConversationId, value)).toBe(false);
    },
  );

  it.each(['', 'u_', U1.slice(0, -1), `${U1}A`, `U${U1.slice(1)}`, C1, 7, null, [U1]])(
    'of uploads are not %j',
    (value) => {
      expect(accepts(UploadId, value)).toBe(false);
    },
  );
});

describe('a messageId', () => {
  it('is the same for the same three, and for no others', () => {
    const { messageId: of } = systemIds;
    // Computed independently, in Python. Clients and stored events rely on it.
    expect(of(C1, 'alice', 'k1')).toBe('m_OL1as4jG96iStmMQmGFgJ5');
    expect(of(C1, 'alice', 'k1')).not.toBe(of(C1, 'alice', 'k2'));
    expect(of(C1, 'alicek', '1')).not.toBe(of(C1, 'alice', 'k1'));
  });
});

describe.each([
  ['userId', UserId],
  ['clientMessageId', ClientMessageId],
])('%s', (_name, schema) => {
  it.each(['a', 'a b', 'жук', '😀', '*', '>', '.', 'x'.repeat(128), '😀'.repeat(128)])(
    'may be %j',
    (value) => {
      expect(accepts(schema, value)).toBe(true);
    },
  );

  it.each([
    '',
    'x'.repeat(129),
    '😀'.repeat(129),
    'a\0',
    'a\r',
    'a\n',
    '\u200b',
    '\ud800',
    '\u2028',
    '\ue000',
    5,
    null,
  ])('may not be %j', (value) => {
    expect(accepts(schema, value)).toBe(false);
  });
});

/** Spaces, fillers, the empty Braille pattern, what joins or selects: nothing that is seen. */
const BLANKS = [
  ' ',
  '\u00a0',
  '\u2003',
  '\u3000',
  '\u3164',
  '\u2800',
  '\u115f',
  '\uffa0',
  '\u034f',
  '\ufe0f',
  '\u{e0100}',
];

describe('a name that shows nothing', () => {
  it.each(BLANKS)('as of %j is refused', (blank) => {
    for (const value of [blank, blank.repeat(3), `${blank}alice`, `alice${blank}`]) {
      expect(accepts(UserId, value), JSON.stringify(value)).toBe(false);
    }
    expect(accepts(Title, ` ${blank}`)).toBe(false);
    expect(accepts(Title, `tea${blank}`)).toBe(true);
  });

  it.each(BLANKS)('as of %j stays readable where it is stored', (blank) => {
    expect(accepts(StoredUserId, `${blank}alice`)).toBe(true);
    expect(accepts(StoredTitle, blank)).toBe(true);
  });

  it('is refused as the documents say, in whatever mode a validator reads patterns', () => {
    const patterns = [UserId, StoredUserId, ClientMessageId, AnyEmoji, Content].map((schema) => {
      const made = z.toJSONSchema(schema);
      const { pattern = '' } = Object.values(made.$defs ?? {})[0] ?? made;
      return { schema, expressions: [new RegExp(pattern), new RegExp(pattern, 'u')] };
    });
    const names = fc.string({
      unit: fc.oneof(
        fc.constantFrom(...BLANKS.slice(0, -1), '\0', '\u200b', 'p', 'a', 'C', '👍', '-'),
        fc.string({ minLength: 1, maxLength: 1 }),
      ),
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(names, (name) => {
        for (const { schema, expressions } of patterns) {
          const taken = accepts(schema, name);
          for (const expression of expressions) expect([name, expression.test(name)]).toEqual([name, taken]);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe.each([
  ['content', Content, CONTENT_LENGTH_MAX],
  ['title', Title, TITLE_LENGTH_MAX],
])('%s', (_name, schema, lengthMax) => {
  it('is counted in code points, not in UTF-16 units', () => {
    for (const character of ['x', 'é', 'あ', '😀']) {
      expect(accepts(schema, character.repeat(lengthMax)), character).toBe(true);
      expect(accepts(schema, character.repeat(lengthMax + 1)), character).toBe(false);
    }
  });

  it('may hold lines and anything else that is Unicode text', () => {
    expect(accepts(schema, 'a\r\n\tb \u202e \u{10ffff}')).toBe(true);
  });

  it.each(['', 'a\0b', 'a\ud800b', '\udc00', '\ude00\ud83d', 1, null, undefined])(
    'may not be %j',
    (value) => {
      expect(accepts(schema, value)).toBe(false);
    },
  );
});

it('has limits that are part of the protocol', () => {
  expect([CONTENT_LENGTH_MAX, TITLE_LENGTH_MAX]).toEqual([8_000, 200]);
});

describe('a seq', () => {
  it.each([0, 1, Number.MAX_SAFE_INTEGER])('may be %d', (value) => {
    expect(accepts(Seq, value)).toBe(true);
  });

  it.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '1', null])('may not be %j', (value) => {
    expect(accepts(Seq, value)).toBe(false);
  });
});
