import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  EventTooLargeError,
  LogFullError,
  LogOverloadedError,
  LogUnavailableError,
  UnknownOutcomeError,
} from '../../../../src/ports/eventLog.ts';
import {
  ACK_MS,
  DEADLINE_MS,
  Publishing,
  passes,
  refused,
  SWEEP_MS,
  stored,
  turn,
} from '../../../support/eventlog/publishing.ts';

/** The longest pause after "not now". */
const PAUSE_MS_MAX = 1_500;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the window', () => {
  it('lets out as many as it holds, in the order of the calls, and the next ones as answers come', async () => {
    const on = new Publishing({ queueMax: 5 });
    const outcomes = ['a', 'b', 'c', 'd', 'e'].map((key) => on.publish(key));
    expect(on.sentIds).toEqual([]);
    await turn();
    expect(on.sentIds).toEqual(['a', 'b', 'c']);
    expect(on.publisher.pending).toBe(5);
    on.attempt('b').answer(stored(7));
    await turn();
    expect(on.sentIds).toEqual(['a', 'b', 'c', 'd']);
    expect(outcomes[1]?.value).toEqual({ outcome: 'stored', seq: 7, duplicate: false });
    for (const key of ['a', 'c', 'd']) on.attempt(key).answer(stored(8));
    await turn();
    on.attempt('e').answer(stored(9));
    await turn();
    expect(on.publisher.pending).toBe(0);
    expect(on.sentIds).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('sends the bytes as they are, with id and expected sequence, each to a reply subject of its own', async () => {
    const on = new Publishing();
    on.publish('a', { text: 'bytes', expectedSeq: 0 });
    on.publish('b');
    await turn();
    expect(on.nats.attempts[0]).toMatchObject({
      subject: 'events',
      text: 'bytes',
      id: 'a',
      expectedSeq: '0',
    });
    expect(on.nats.attempts[1]).toMatchObject({ id: 'b', expectedSeq: undefined });
    expect(new Set(on.nats.attempts.map(({ reply }) => reply)).size).toBe(2);
  });

  it('is not widened by those that wait to be sent again', async () => {
    const on = new Publishing();
    for (const key of ['a', 'b', 'c', 'd']) on.publish(key);
    await turn();
    on.attempt('a').answer('');
    await turn();
    expect(on.sentIds).toEqual(['a', 'b', 'c']);
  });
});

describe('the queue', () => {
  it('refuses one too many at once, without sending it, and takes another when there is room', async () => {
    const on = new Publishing({ windowMax: 1, queueMax: 2 });
    on.publish('sent');
    await turn();
    for (const key of ['first', 'second']) on.publish(key);
    const tooMany = on.publish('third');
    await turn();
    expect(tooMany.value).toBeInstanceOf(LogOverloadedError);
    on.attempt('sent').answer(stored(1));
    await turn();
    const next = on.publish('fourth');
    await turn();
    expect(next.value).toBeNull();
    expect(on.sentIds).toEqual(['sent', 'first']);
  });

  it('bounds what all of them hold, queued and in flight, until they settle, however that is', async () => {
    const on = new Publishing({ windowMax: 1, queueBytesMax: 10 });
    const half = (key: string) => on.publish(key, { text: 'x'.repeat(5) });
    half('in flight');
    await turn();
    const queued = half('queued');
    const tooMuch = on.publish('too much', { text: 'x' });
    await turn();
    expect(tooMuch.value).toBeInstanceOf(LogOverloadedError);
    on.attempt('in flight').answer(refused(10071));
    await turn();
    expect(half('fits again').value).toBeNull();
    await passes(DEADLINE_MS + SWEEP_MS);
    expect(queued.value).toBeInstanceOf(UnknownOutcomeError);
    const both = [half('one'), half('two')];
    await turn();
    expect(both.map(({ value }) => value)).toEqual([null, null]);
  });
});

describe('an answer', () => {
  it.each([
    ['stored', stored(5), { outcome: 'stored', seq: 5, duplicate: false }],
    ['stored before', stored(5, { duplicate: true }), { outcome: 'stored', seq: 5, duplicate: true }],
    ['somebody else was first', refused(10071), { outcome: 'conflict' }],
    ['too large', refused(10054), expect.any(EventTooLargeError)],
    ['full', refused(10077, 'maximum bytes exceeded'), expect.any(LogFullError)],
    ['something else', refused(10099), expect.any(LogUnavailableError)],
  ])('of "%s" settles at once, and nothing is sent again', async (_what, body, outcome) => {
    const on = new Publishing();
    const published = on.publish('a');
    await turn();
    on.attempt('a').answer(body);
    await turn();
    expect(published.value).toEqual(outcome);
    await passes(2 * DEADLINE_MS);
    expect(on.sentIds).toEqual(['a']);
    expect(on.publisher.pending).toBe(0);
  });

  it("that comes twice is nobody else's", async () => {
    const on = new Publishing({ windowMax: 1 });
    const one = on.publish('a');
    await turn();
    on.attempt('a').answer(stored(5));
    on.attempt('a').answer(stored(6));
    const other = on.publish('b');
    await turn();
    expect([one.value, other.value]).toEqual([{ outcome: 'stored', seq: 5, duplicate: false }, null]);
  });

  it('is measured from its own attempt, as a moving average', async () => {
    const on = new Publishing();
    expect(on.publisher.ackMs).toBeNull();
    on.publish('a');
    await turn();
    await passes(100);
    on.attempt('a').answer(stored(1));
    expect(on.publisher.ackMs).toBe(100);
    on.publish('b');
    await turn();
    await passes(300);
    on.attempt('b').answer(stored(2));
    expect(on.publisher.ackMs).toBeCloseTo(110);
  });
});

describe('an attempt without an answer', () => {
  it("is repeated with the same id at another reply subject, and its late answer is nobody's", async () => {
    const on = new Publishing({ windowMax: 1 });
    const first = on.publish('a');
    await turn();
    await passes(ACK_MS - SWEEP_MS);
    expect(on.sentIds).toEqual(['a']);
    await passes(2 * SWEEP_MS);
    expect(on.sentIds).toEqual(['a', 'a']);
    expect(on.events).toEqual([{ type: 'publishTimedOut', messages: 1 }]);
    expect(on.attempt('a').reply).not.toBe(on.attempt('a', 0).reply);
    on.attempt('a').answer(stored(5, { duplicate: true }));
    const second = on.publish('b');
    await turn();
    on.attempt('a', 0).answer(stored(5));
    await turn();
    // It was this message's own first attempt that the stream had stored already, unless somebody else's id was the same.
    expect(first.value).toEqual({ outcome: 'stored', seq: 5, duplicate: false, retried: true });
    expect(second.value).toBeNull();
    on.attempt('b').answer(stored(6));
    await turn();
    expect(second.value).toMatchObject({ seq: 6 });
  });

  it('goes out again until its deadline, and is of unknown outcome then', async () => {
    const on = new Publishing();
    const published = on.publish('a');
    await turn();
    await passes(DEADLINE_MS - 1);
    expect(published.value).toBeNull();
    expect(on.nats.of('a').length).toBeGreaterThan(2);
    // Its last attempt has as long as any, though the deadline passes meanwhile.
    await passes(ACK_MS + SWEEP_MS);
    expect(published.value).toBeInstanceOf(UnknownOutcomeError);
    const { length } = on.nats.attempts;
    await passes(DEADLINE_MS);
    expect(on.nats.attempts).toHaveLength(length);
  });
});

describe('a message that was told "not now"', () => {
  it.each([
    ['no responders', ''],
    ['no leader', refused(10008)],
  ] as const)('(%s) is sent again after a pause that doubles, less up to a half', async (_why, body) => {
    const on = new Publishing({ ackTimeoutMs: 10_000, deadlineMs: 60_000 });
    const published = on.publish('a');
    await turn();
    for (const [n, wholeMs] of [150, 300, 600, 1_200, 1_500, 1_500].entries()) {
      on.attempt('a').answer(body);
      await passes(wholeMs / 2 - 1);
      expect(on.sentIds).toHaveLength(n + 1);
      await passes(wholeMs / 2 + 1 + SWEEP_MS);
      expect(on.sentIds).toHaveLength(n + 2);
      expect(on.events.at(-1)).toMatchObject({ type: 'publishDelayed', attempts: n + 1 });
    }
    on.attempt('a').answer(stored(3));
    await turn();
    expect(published.value).toEqual({ outcome: 'stored', seq: 3, duplicate: false });
  });

  it('each time is certainly not stored when its deadline has passed', async () => {
    const on = new Publishing();
    const published = on.publish('a');
    for (let ms = 0; ms <= DEADLINE_MS + PAUSE_MS_MAX; ms += SWEEP_MS) {
      await turn();
      if (published.value === null) on.attempt('a').answer('');
      await passes(SWEEP_MS);
    }
    expect(published.value).toBeInstanceOf(LogUnavailableError);
    expect(on.nats.of('a').length).toBeGreaterThan(2);
  });

  it('after an attempt without an answer is of unknown outcome: that one may be stored', async () => {
    const on = new Publishing();
    const published = on.publish('a');
    await turn();
    await passes(ACK_MS + SWEEP_MS);
    for (let ms = 0; ms <= DEADLINE_MS + PAUSE_MS_MAX; ms += SWEEP_MS) {
      if (published.value === null) on.attempt('a').answer('');
      await passes(SWEEP_MS);
    }
    expect(published.value).toBeInstanceOf(UnknownOutcomeError);
  });
});

it('a message that was never sent is certainly not stored when its deadline has passed', async () => {
  const on = new Publishing({ windowMax: 1, ackTimeoutMs: 10 * DEADLINE_MS });
  on.publish('sent');
  await turn();
  const queued = on.publish('queued');
  await passes(DEADLINE_MS - SWEEP_MS);
  expect(queued.value).toBeNull();
  await passes(2 * SWEEP_MS);
  expect(queued.value).toBeInstanceOf(LogUnavailableError);
  expect(on.sentIds).toEqual(['sent']);
});
