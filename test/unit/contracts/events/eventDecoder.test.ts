import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import {
  CorruptedEventError,
  EventDecoder,
  UnknownEventError,
} from '../../../../src/contracts/events/eventDecoder.ts';
import { ChatEventSchema, decodeEvent } from '../../../../src/contracts/events/events.ts';
import { readMessagePosted } from '../../../../src/contracts/events/readMessagePosted.ts';
import { Upcasters } from '../../../../src/contracts/events/upcasters.ts';
import { post } from '../../../support/domain/conversations.ts';

const posted = { ...post(), type: 'MessagePosted', v: 1 };
const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

/** Events whose name was one text once, then two, and are a list now. */
const steps = [
  {
    type: 'Named',
    from: 1,
    upcast: ({ name }: Readonly<Record<string, unknown>>) => {
      const [first, last] = String(name).split(' ');
      if (last === undefined) throw new Error('a name has two words');
      return { first, last };
    },
  },
  {
    type: 'Named',
    from: 2,
    upcast: ({ first, last }: Readonly<Record<string, unknown>>) => ({ names: [first, last] }),
  },
];
const Named = z.object({ type: z.literal('Named'), v: z.literal(3), names: z.array(z.string().min(1)) });
const decoder = new EventDecoder({ upcasters: new Upcasters({ Named: 3 }, steps), schema: Named });

test('events of every version come out in the newest', () => {
  const newest = { type: 'Named', v: 3, names: ['Ada', 'Lovelace'] };
  for (const stored of [
    { type: 'Named', v: 1, name: 'Ada Lovelace' },
    { type: 'Named', v: 2, first: 'Ada', last: 'Lovelace' },
    newest,
  ]) {
    expect(decoder.decode(bytesOf(stored), 1)).toEqual(newest);
  }
});

test('what an upcaster or the schema refuses is corrupted, and says what is wrong', () => {
  const refused = (stored: unknown) => () => decoder.decode(bytesOf(stored), 4);
  expect(refused({ type: 'Named', v: 1, name: 'Ada' })).toThrow(CorruptedEventError);
  expect(refused({ type: 'Named', v: 1, name: 'Ada' })).toThrow(/Event 4 .*a name has two words/);
  expect(refused({ type: 'Named', v: 2, first: '', last: 'x' })).toThrow(/names\.0/);
});

test('a type or version of the future is unknown, not corrupted', () => {
  for (const stored of [
    { type: 'Named', v: 4, names: [] },
    { type: 'Named', v: 0 },
    { type: 'Sung', v: 1 },
  ]) {
    expect(() => decoder.decode(bytesOf(stored), 1)).toThrow(UnknownEventError);
  }
  expect(() => decodeEvent(bytesOf({ ...posted, v: 2 }), 9)).toThrow(
    /Event 9 .*MessagePosted, version 2.* newer/,
  );
});

test('without a type and a version it is corrupted', () => {
  for (const stored of [{}, [], null, 'x', { type: 'Named' }, { type: 7, v: 1 }, { type: 'Named', v: 1.5 }]) {
    expect(() => decoder.decode(bytesOf(stored), 1)).toThrow(CorruptedEventError);
  }
});

test('a chain of upcasters has no hole, no fork and no dead end', () => {
  const [first, second] = steps;
  if (first === undefined || second === undefined) throw new Error('There are two');
  expect(() => new Upcasters({ Named: 3 }, [second])).toThrow('There is no upcaster for Named version 1');
  expect(() => new Upcasters({ Named: 3 }, [first, second, second])).toThrow(
    'two upcasters for Named version 2',
  );
  expect(() => new Upcasters({ Named: 2 }, [first, second])).toThrow('leads to no version');
  expect(() => new Upcasters({}, [first])).toThrow('leads to no version');
});

test('the shortcut for posted messages gives what the schema gives, or leaves it to the schema', () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.constantFrom('\0', '\ud800', '', 'é'));
  const maybe = (usual: unknown) =>
    fc.oneof({ weight: 25, arbitrary: fc.constant(usual) }, text, fc.jsonValue());
  const at = fc.oneof(
    { weight: 25, arbitrary: fc.constant(posted.at) },
    fc.constantFrom(
      '2026-02-30T00:00:00.000Z',
      '2026-12-31T23:59:59.999Z',
      '2026-13-01T00:00:00.000Z',
      '2026-01-01T24:00:00.000Z',
      '2026-01-01T00:00:60.000Z',
      '2026-01-01T00:00:00.00Z',
    ),
  );
  const event = fc.record(
    {
      type: maybe('MessagePosted'),
      v: maybe(1),
      messageId: maybe(posted.messageId),
      conversationId: maybe(posted.conversationId),
      userId: maybe('alice'),
      clientMessageId: maybe('k1'),
      content: fc.oneof(
        maybe('hi'),
        fc.constantFrom('x'.repeat(8_000), 'x'.repeat(8_001), '😀'.repeat(8_000)),
      ),
      replyTo: fc.oneof(maybe(null), fc.constant(posted.messageId)),
      attachments: maybe([]),
      at,
      extra: fc.jsonValue(),
    },
    { requiredKeys: ['type', 'content', 'at'] },
  );
  let shortcuts = 0;
  fc.assert(
    fc.property(event, (value) => {
      const short = readMessagePosted(value);
      if (short === null) return;
      shortcuts += 1;
      expect(ChatEventSchema.parse(value)).toStrictEqual(short);
    }),
    { numRuns: 3_000 },
  );
  expect(shortcuts).toBeGreaterThan(100);
});
