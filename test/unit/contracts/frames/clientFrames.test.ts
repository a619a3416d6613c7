import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClientFrame, FRAME_BYTES_MAX, WsQuery } from '../../../../src/contracts/frames/clientFrames.ts';
import { C1, M1 } from '../../../support/domain/conversations.ts';

const U1 = `u_${'a'.repeat(21)}`;
const accepts = (value: unknown) => ClientFrame.safeParse(value).success;
const text = (value: unknown) => JSON.stringify(value);

/** Every operation, with all its fields; `optional` names those that may be left out. */
const FRAMES: { frame: { op: string; [field: string]: unknown }; optional: string[] }[] = [
  { frame: { op: 'join', id: 1, conversationId: C1, after: 120, epoch: 'e1' }, optional: ['after', 'epoch'] },
  { frame: { op: 'leave', id: 2, conversationId: C1 }, optional: [] },
  {
    frame: { op: 'send', id: 3, conversationId: C1, clientMessageId: 'k1', content: 'hi', replyTo: M1 },
    optional: ['clientMessageId', 'replyTo'],
  },
  { frame: { op: 'ping', id: 4 }, optional: [] },
];
const withField = (frame: object, field: string, value: unknown) => ({ ...frame, [field]: value });
const without = (frame: object, field: string) =>
  Object.fromEntries(Object.entries(frame).filter(([name]) => name !== field));

describe.each(FRAMES)('the frame $frame.op', ({ frame, optional }) => {
  it('is taken as the protocol shows it, and comes out unchanged', () => {
    expect(ClientFrame.parse(frame)).toStrictEqual(frame);
  });

  it.each(Object.keys(frame))('without %s is taken only if that is optional', (field) => {
    expect(accepts(without(frame, field))).toBe(optional.includes(field));
  });

  it.each(Object.keys(frame))('with anything else as %s is refused', (field) => {
    for (const wrong of [{}, [], [frame], true, '', -1, 1.5, '\0', 'x'.repeat(8_001), Number.NaN]) {
      expect(accepts(withField(frame, field, wrong)), `${field}: ${text(wrong)}`).toBe(false);
    }
    const nullable = field === 'replyTo';
    expect(accepts(withField(frame, field, null))).toBe(nullable);
  });

  it.each(['userId', 'seq', 'messageId', '__proto', 'Content'])(
    'with the unknown field %s is refused',
    (field) => {
      expect(accepts(withField(frame, field, 1))).toBe(false);
    },
  );
});

it.each([
  [true, { content: 'hi', attachments: [] }],
  [true, { content: 'hi', attachments: [U1] }],
  [true, { content: '', attachments: [U1] }],
  [true, { attachments: [U1] }],
  [false, { content: '', attachments: [] }],
  [false, { content: '' }],
  [false, { attachments: [] }],
])('a message needs words or files: %s for %j', (taken, said) => {
  expect(accepts({ op: 'send', id: 1, conversationId: C1, ...said })).toBe(taken);
});

describe('what is no frame', () => {
  it.each([
    null,
    [],
    'ping',
    1,
    {},
    { op: 'dance', id: 1 },
    { op: ['ping'], id: 1 },
    { op: 'PING', id: 1 },
    { op: 'ping', id: '1' },
    { op: 'ping', id: 2 ** 53 },
    { op: 'join', id: 1, conversationId: `${C1}.*` },
    { op: 'join', id: 1, conversationId: 'chat.events.>' },
    { op: 'send', id: 1, conversationId: C1, content: 'a\ud800' },
    { op: 'send', id: 1, conversationId: C1, content: 'hi', replyTo: C1 },
  ])('is refused: %j', (value) => {
    expect(accepts(value)).toBe(false);
  });

  it('is refused whatever JSON it is, and nothing is thrown', () => {
    const op = fc.constantFrom('join', 'leave', 'send', 'typing', 'joined', '', null);
    const frame = fc.oneof(
      fc.jsonValue(),
      fc.record({ op, id: fc.jsonValue(), conversationId: fc.jsonValue() }),
    );
    fc.assert(fc.property(frame, (value) => !accepts(value)));
  });
});

it('the longest message fits into a frame even when every character is escaped', () => {
  const escaped = '\\ud83d\\ude00';
  const frame = `{"op":"send","id":${Number.MAX_SAFE_INTEGER},"conversationId":"${C1}","replyTo":"${M1}",
    "clientMessageId":"${escaped.repeat(128)}","content":"${escaped.repeat(8_000)}"}`;
  expect(accepts(JSON.parse(frame))).toBe(true);
  expect(Buffer.byteLength(frame)).toBeLessThan(FRAME_BYTES_MAX);
});

it('a socket must name its user', () => {
  expect(WsQuery.safeParse({ userId: 'alice' }).success).toBe(true);
  for (const query of [{}, { userId: '' }, { userId: 'a\n' }, { userId: ['a', 'b'] }]) {
    expect(WsQuery.safeParse(query).success, text(query)).toBe(false);
  }
});
