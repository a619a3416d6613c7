import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClientFrame } from '../../../../../src/contracts/frames/clientFrames.ts';
import { MalformedFrame } from '../../../../../src/edge/malformedFrame.ts';
import { parseClientFrame } from '../../../../../src/edge/transports/native/clientFrame.ts';
import { encodeServerFrame } from '../../../../../src/edge/transports/native/serverFrame.ts';
import { conversationId, messageId } from '../../../../support/domain/arbitraries.ts';

const seq = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({
    unit: fc.constantFrom('a', ' ', '"', '\\', '\n', '\0', '\x7f', '\u200b', 'é', '😀', '\ud83d'),
  }),
);
const id = fc.oneof(seq, fc.constantFrom<unknown>(-1, 1.5, '1', null, 999_999_999_999_999, 1e15));

/** Frames near a plain `send`, right and wrong ones. */
const nearlySend = fc.record(
  {
    op: fc.constant('send'),
    id,
    conversationId: fc.oneof(conversationId, anyText),
    clientMessageId: anyText,
    content: anyText,
  },
  { noNullPrototype: true },
);

describe('a frame of a client', () => {
  it('is taken exactly when its schema takes it, and means the same, whichever way it is read', () => {
    let taken = 0;
    fc.assert(
      fc.property(nearlySend, (frame) => {
        // JSON has no lone surrogates in UTF-8: what the socket hands over is well-formed text.
        const text = JSON.stringify(frame);
        const bySchema = ClientFrame.safeParse(JSON.parse(text));
        const read = parseClientFrame(text);
        if (bySchema.success) {
          taken += 1;
          expect(read).toStrictEqual(bySchema.data);
        } else expect(read).toBeInstanceOf(MalformedFrame);
      }),
      { numRuns: 3_000 },
    );
    expect(taken).toBeGreaterThan(100);
  });

  it.each([
    ['raw control characters', (c: string) => c.replace('hi', 'h\ti')],
    ['a number with a leading zero', (c: string) => c.replace('"id":7', '"id":07')],
    ['something behind it', (c: string) => `${c}{}`],
    ['a line break behind it that is no JSON', (c: string) => `${c}\n}`],
    ['nothing to say', (c: string) => c.replace('"hi"', '""')],
    ['a key twice', (c: string) => c.replace('"hi"', '"hi","content":"ho"')],
    ['8,001 characters', (c: string) => c.replace('hi', 'x'.repeat(8_001))],
  ])('with %s is refused', (_what, change) => {
    const plain = `{"op":"send","id":7,"conversationId":"c_${'a'.repeat(21)}","clientMessageId":"k","content":"hi"}`;
    expect(parseClientFrame(plain)).not.toBeInstanceOf(MalformedFrame);
    expect(parseClientFrame(change(plain))).toBeInstanceOf(MalformedFrame);
  });
});

describe('a frame of the server', () => {
  it('is the JSON of what it says', () => {
    const ack = fc.record(
      {
        op: fc.constant('ack' as const),
        id: seq,
        messageId,
        seq,
        level: fc.constant('accepted' as const),
        duplicate: fc.boolean(),
      },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(ack, (frame) => {
        expect(encodeServerFrame(frame)).toBe(JSON.stringify(frame));
      }),
    );
    const left = { op: 'left', id: 1, conversationId: 'c' } as const;
    expect(encodeServerFrame(left)).toBe(JSON.stringify(left));
  });
});
