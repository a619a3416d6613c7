import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ANNOUNCED_USERS_MAX,
  decodeSignal,
  encodeSignal,
  SIGNAL_BYTES_MAX,
  type Signal,
} from '../../../src/contracts/signals.ts';
import { conversationId, userId } from '../../support/domain/arbitraries.ts';
import { C1 } from '../../support/domain/conversations.ts';

const users = fc.array(userId, { maxLength: 8 });
const edgeId = fc.uuid();
const record = <T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record<T>(model, { noNullPrototype: true });
const signal: fc.Arbitrary<Signal> = fc.oneof(
  record({ type: fc.constant('typing' as const), conversationId, userId }),
  record({
    type: fc.constant('presence' as const),
    full: fc.constant(false as const),
    edgeId,
    online: users,
    offline: users,
  }),
  record({
    type: fc.constant('presence' as const),
    full: fc.constant(true as const),
    edgeId,
    round: fc.maxSafeNat(),
    part: fc.nat(),
    last: fc.boolean(),
    online: users,
  }),
  record({ type: fc.constant('presenceRequest' as const) }),
);

describe('a signal', () => {
  it('is read back as what it was made from, on a subject of plain tokens', () => {
    fc.assert(
      fc.property(signal, (each) => {
        const { subject, text } = encodeSignal(each);
        expect(decodeSignal(subject, text)).toStrictEqual(each);
        expect(subject).toMatch(/^chat\.signals\.(typing|presence)\.[A-Za-z0-9_-]+$/);
      }),
    );
  });

  it('is golden on the wire: processes of different versions talk to each other', () => {
    expect(encodeSignal({ type: 'typing', conversationId: C1, userId: 'alice' })).toEqual({
      subject: `chat.signals.typing.${C1}`,
      text: '{"userId":"alice"}',
    });
    expect(encodeSignal({ type: 'presenceRequest' }).subject).toBe('chat.signals.presence.request');
    const change = { type: 'presence', full: false, edgeId: 'e', online: ['a'], offline: ['b'] } as const;
    expect(encodeSignal({ ...change, online: ['a'], offline: ['b'] })).toEqual({
      subject: 'chat.signals.presence.announcement',
      text: '{"type":"presence","full":false,"edgeId":"e","online":["a"],"offline":["b"]}',
    });
  });

  it.each(['😀', '"', '\\', 'ß', 'あ'])('of 500 of the longest ids (of %s) is not too long', (character) => {
    const online = Array<string>(ANNOUNCED_USERS_MAX).fill(character.repeat(128));
    const place = { edgeId: 'e'.repeat(64), round: Number.MAX_SAFE_INTEGER, part: Number.MAX_SAFE_INTEGER };
    const { subject, text } = encodeSignal({ type: 'presence', full: true, ...place, last: false, online });
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(SIGNAL_BYTES_MAX);
    expect(decodeSignal(subject, text)).not.toBeNull();
  });

  it('is never read from anything at all without being checked', () => {
    const subject = fc.constantFrom('chat.signals.presence.announcement', `chat.signals.typing.${C1}`);
    fc.assert(
      fc.property(subject, fc.oneof(fc.json(), fc.string()), (on, text) => {
        const read = decodeSignal(on, text);
        if (read !== null) expect(() => encodeSignal(read)).not.toThrow();
      }),
    );
  });
});
