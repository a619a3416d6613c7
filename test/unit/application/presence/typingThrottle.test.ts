import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TypingThrottle } from '../../../../src/application/presence/typingThrottle.ts';
import { C1, C2 } from '../../../support/domain/conversations.ts';
import { ManualTime } from '../../../support/time/manualTime.ts';

describe('the throttle of typing', () => {
  it('lets one signal per user, conversation and 2 s through', async () => {
    const time = new ManualTime();
    const throttle = new TypingThrottle({ clock: time });
    expect([throttle.allow(C1, 'alice'), throttle.allow(C1, 'alice')]).toEqual([true, false]);
    expect([throttle.allow(C2, 'alice'), throttle.allow(C1, 'bob')]).toEqual([true, true]);
    await time.advance(1_999);
    expect(throttle.allow(C1, 'alice')).toBe(false);
    await time.advance(1);
    expect([throttle.allow(C1, 'alice'), throttle.allow(C1, 'alice')]).toEqual([true, false]);
  });

  it('does not forget sooner because others type', async () => {
    const time = new ManualTime();
    const throttle = new TypingThrottle({ clock: time });
    throttle.allow(C1, 'alice');
    for (let n = 0; n < 19; n++) {
      await time.advance(100);
      throttle.allow(C1, `user ${n}`);
    }
    expect(throttle.allow(C1, 'alice')).toBe(false);
  });

  it('answers like one that never forgets, at any time', () => {
    const call = fc.record({
      waitMs: fc.oneof(fc.nat(300), fc.constantFrom(0, 1_999, 2_000, 2_001), fc.nat(9_000)),
      conversationId: fc.constantFrom(C1, C2),
      userId: fc.constantFrom('a', 'b', `${C1} a`),
    });
    fc.assert(
      fc.property(fc.array(call, { maxLength: 60 }), (calls) => {
        let nowMs = 1_000_000;
        const throttle = new TypingThrottle({ clock: { nowMs: () => nowMs } });
        const latest = new Map<string, number>();
        for (const { waitMs, conversationId, userId } of calls) {
          nowMs += waitMs;
          const key = JSON.stringify([conversationId, userId]);
          const wanted = nowMs - (latest.get(key) ?? 0) >= 2_000;
          if (wanted) latest.set(key, nowMs);
          expect(throttle.allow(conversationId, userId)).toBe(wanted);
        }
      }),
    );
  });

  it('remembers no more than it may, and forgets what is over', async () => {
    const time = new ManualTime();
    const throttle = new TypingThrottle({ clock: time, pairsMax: 10 });
    for (let n = 0; n < 1_000; n++) {
      throttle.allow(C1, `user ${n}`);
      expect(throttle.size).toBeLessThanOrEqual(20);
    }
    expect(throttle.allow(C1, 'user 999')).toBe(false);
    for (let n = 0; n < 2; n++) {
      await time.advance(2_000);
      throttle.allow(C1, 'somebody');
    }
    expect(throttle.size).toBe(2);
  });

  it('is not silenced by a clock that is set back', () => {
    const time = new ManualTime();
    const throttle = new TypingThrottle({ clock: time });
    throttle.allow(C1, 'alice');
    time.setClock(-3_600_000);
    expect([throttle.allow(C1, 'alice'), throttle.allow(C1, 'alice')]).toEqual([true, false]);
  });
});
