import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Signal, SignalFault, Signals } from '../../src/ports/signals.ts';
import { C1 } from '../support/domain/conversations.ts';
import { waitFor } from '../support/time/waitFor.ts';

export interface SignalsUnderTest extends Signals {
  close(): Promise<void>;
}

export interface SignalsHarness {
  /** Signals of one more process. */
  connect(onFault: (fault: SignalFault) => void): Promise<SignalsUnderTest>;
  /** Sends bytes as they are, as somebody else on the server might. */
  inject(subject: string, bytes: Uint8Array): void;
  /** Takes the connection away, until everybody has noticed. */
  interrupt(): Promise<void>;
  /** Gives it back, until everybody has noticed. */
  restore(): Promise<void>;
  close(): Promise<void>;
}

interface Process {
  readonly signals: SignalsUnderTest;
  readonly received: Signal[];
  readonly faults: SignalFault[];
  readonly unsubscribe: () => void;
}

const typing = (userId: string): Signal => ({ type: 'typing', conversationId: C1, userId });
const part = {
  type: 'presence' as const,
  full: true as const,
  edgeId: 'e-1_A',
  round: 3,
  part: 0,
  last: true,
  online: ['alice', '__proto__', '"\\😀, >'],
};
const bytes = (text: string) => new TextEncoder().encode(text);

/** What every implementation of the port `Signals` must do. */
export function signalsContract(name: string, open: () => Promise<SignalsHarness>): void {
  describe(name, () => {
    let harness: SignalsHarness;
    let one: Process;
    let two: Process;

    beforeEach(async () => {
      harness = await open();
      one = await start();
      two = await start();
    });
    afterEach(async () => {
      await Promise.all([one.signals.close(), two.signals.close()]);
      await harness.close();
    });

    async function start(): Promise<Process> {
      const faults: SignalFault[] = [];
      const received: Signal[] = [];
      const signals = await harness.connect((fault) => faults.push(fault));
      const unsubscribe = signals.subscribe((signal) => received.push(signal));
      return { signals, received, faults, unsubscribe };
    }

    /** When this has arrived everywhere, so has all that was sent before from the same process. */
    async function arrived(from: Process, at: Process[], mark = 'the mark'): Promise<void> {
      from.signals.publish(typing(mark));
      await Promise.all(
        at.map(({ received }) =>
          waitFor(mark, () => received.some((signal) => signal.type === 'typing' && signal.userId === mark)),
        ),
      );
    }

    const others = ({ received }: Process) =>
      received.filter((signal) => signal.type !== 'typing' || !signal.userId.startsWith('the mark'));

    test('every kind arrives as it was sent, everywhere, also where it was sent', async () => {
      const change: Signal = {
        type: 'presence',
        full: false,
        edgeId: 'e',
        online: ['a'],
        offline: ['b', 'c'],
      };
      const sent = [
        typing('"a"\\ 😀'),
        typing('__proto__'),
        part,
        change,
        { type: 'presenceRequest' } as const,
      ];
      for (const signal of sent) one.signals.publish(signal);
      await arrived(one, [one, two]);
      expect(others(one)).toEqual(sent);
      expect(others(two)).toEqual(sent);
    });

    test('signals of one process arrive in the order of their sending', async () => {
      const users = Array.from({ length: 500 }, (_, n) => `user ${n}`);
      for (const user of users) one.signals.publish(typing(user));
      await arrived(one, [two]);
      expect(others(two).map((signal) => signal.type === 'typing' && signal.userId)).toEqual(users);
    });

    test('nobody is called from within publish, and what is changed afterwards stays out', async () => {
      const online = ['alice'];
      one.signals.publish({ type: 'presence', full: false, edgeId: 'e', online, offline: [] });
      expect(one.received).toEqual([]);
      online.push('bob');
      await arrived(one, [one]);
      expect(others(one)).toMatchObject([{ online: ['alice'] }]);
    });

    test('who unsubscribes hears nothing any more, and others go on hearing', async () => {
      const again: Signal[] = [];
      const unsubscribe = two.signals.subscribe((signal) => again.push(signal));
      await arrived(one, [two]);
      two.unsubscribe();
      one.signals.publish(typing('alice'));
      await waitFor('the other subscriber', () => again.length === 2);
      expect(others(two)).toEqual([]);
      unsubscribe();
    });

    test('a subscriber that throws is reported and disturbs nobody', async () => {
      two.unsubscribe();
      two.signals.subscribe(() => {
        throw new Error('broken');
      });
      two.signals.subscribe((signal) => two.received.push(signal));
      await arrived(one, [two]);
      expect(two.faults).toEqual([{ kind: 'handlerFailed', detail: 'Error: broken' }]);
    });

    test('what the contract forbids is not sent, and reported to who wanted to', async () => {
      const users = Array.from({ length: 501 }, (_, n) => `user ${n}`);
      const forbidden: Signal[] = [
        { type: 'typing', conversationId: '>', userId: 'alice' },
        { type: 'typing', conversationId: `${C1}.x\r\nPUB a 0`, userId: 'alice' },
        typing('a\r\nb'),
        { ...part, online: users },
        { ...part, edgeId: 'a.b' },
        {
          type: 'presence',
          full: false,
          edgeId: 'e',
          online: users.slice(1, 300),
          offline: users.slice(299),
        },
      ];
      for (const signal of forbidden) one.signals.publish(signal);
      await arrived(one, [one, two]);
      expect(one.faults.map(({ kind }) => kind)).toEqual(forbidden.map(() => 'malformed'));
      expect([others(two), two.faults]).toEqual([[], []]);
    });

    test('what somebody else sends that is no signal is dropped and counted', async () => {
      const presence = 'chat.signals.presence.announcement';
      const strange: [string, Uint8Array][] = [
        ['chat.signals.other', bytes('{}')],
        [`chat.signals.typing.${C1}.x`, bytes('{"userId":"alice"}')],
        ['chat.signals.typing.c_short', bytes('{"userId":"alice"}')],
        [`chat.signals.typing.${C1}`, bytes('alice')],
        [`chat.signals.typing.${C1}`, bytes('')],
        [`chat.signals.typing.${C1}`, bytes('{"userId":7}')],
        [`chat.signals.typing.${C1}`, new Uint8Array([0x7b, 0xff, 0xfe])],
        [presence, bytes('null')],
        [presence, bytes('['.repeat(100_000))],
        [presence, bytes(`${JSON.stringify(part)}${' '.repeat(300_000)}`)],
        [presence, bytes(JSON.stringify({ ...part, online: ['\ud800'] }))],
      ];
      for (const [subject, payload] of strange) harness.inject(subject, payload);
      await waitFor('all to be counted', () => two.faults.length >= strange.length);
      await arrived(one, [two]);
      expect(two.faults.map(({ kind }) => kind)).toEqual(strange.map(() => 'malformed'));
      expect(others(two)).toEqual([]);
    });

    test('fields that this version does not know do no harm', async () => {
      harness.inject(`chat.signals.typing.${C1}`, bytes('{"userId":"alice","since":5,"__proto__":{"a":1}}'));
      await waitFor('the signal', () => two.received.length === 1);
      expect(two.received).toStrictEqual([typing('alice')]);
    });

    test('what is sent while there is no connection is dropped, not kept; afterwards all goes on', async () => {
      await arrived(one, [two], 'the mark before');
      await harness.interrupt();
      for (let n = 0; n < 10; n++) one.signals.publish(typing('nobody hears'));
      await harness.restore();
      await waitFor('signals to pass again', () => {
        one.signals.publish(typing('the mark after'));
        return two.received.some((signal) => signal.type === 'typing' && signal.userId === 'the mark after');
      });
      expect(others(two)).toEqual([]);
      expect(one.faults.filter(({ kind }) => kind === 'notSent').length).toBeGreaterThanOrEqual(10);
    });

    test('once closed it neither hears nor sends, and says nothing but that it did not send', async () => {
      await two.signals.close();
      await two.signals.close();
      two.signals.publish(typing('alice'));
      await arrived(one, [one]);
      expect(others(one)).toEqual([]);
      expect(two.received).toEqual([]);
      expect(two.faults.map(({ kind }) => kind)).toEqual(['notSent']);
    });
  });
}
