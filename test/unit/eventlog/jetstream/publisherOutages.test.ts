import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LogCircuit } from '../../../../src/eventlog/jetstream/logCircuit.ts';
import type { Appends } from '../../../../src/eventlog/jetstream/logCircuitOptions.ts';
import { LogUnavailableError, UnknownOutcomeError } from '../../../../src/ports/eventLog.ts';
import {
  ACK_MS,
  DEADLINE_MS,
  Publishing,
  passes,
  SWEEP_MS,
  stored,
  turn,
} from '../../../support/eventlog/publishing.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('while the connection is lost', () => {
  it('nothing is sent; then all in flight go again in their order, with their ids, before anything new', async () => {
    const on = new Publishing({ windowMax: 2, ackTimeoutMs: 10_000, deadlineMs: 20_000 });
    const outcomes = ['a', 'b', 'c'].map((key) => on.publish(key));
    await turn();
    on.nats.lose();
    await turn();
    on.publish('d');
    await passes(5_000);
    expect(on.sentIds).toEqual(['a', 'b']);
    on.nats.find();
    await turn();
    expect(on.sentIds).toEqual(['a', 'b', 'a', 'b']);
    expect(on.events).toEqual([{ type: 'publishRepeated', messages: 2 }]);
    on.attempt('a').answer(stored(1, { duplicate: true }));
    on.attempt('b').answer(stored(2));
    await turn();
    expect(on.sentIds.slice(4)).toEqual(['c', 'd']);
    expect(outcomes.map(({ value }) => value)).toMatchObject([
      { seq: 1, duplicate: false },
      { seq: 2 },
      null,
    ]);
  });

  it('what was in flight may be stored, though it was told "not now" each time since', async () => {
    const on = new Publishing();
    const published = on.publish('a');
    await turn();
    on.nats.lose();
    await turn();
    on.nats.find();
    await turn();
    // The longest pause may begin just before the deadline.
    for (let ms = 0; ms <= DEADLINE_MS + 1_500; ms += SWEEP_MS) {
      if (published.value === null) on.attempt('a').answer('');
      await passes(SWEEP_MS);
    }
    expect(published.value).toBeInstanceOf(UnknownOutcomeError);
  });

  it('what was in flight is of unknown outcome at its deadline, what was queued certainly not stored', async () => {
    const on = new Publishing();
    const sent = on.publish('sent');
    await turn();
    on.nats.lose();
    await turn();
    const queued = on.publish('queued');
    await passes(DEADLINE_MS + ACK_MS + SWEEP_MS);
    expect(sent.value).toBeInstanceOf(UnknownOutcomeError);
    expect(queued.value).toBeInstanceOf(LogUnavailableError);
    expect(on.sentIds).toEqual(['sent']);
  });
});

it('a connection that is closed for good refuses what was not sent over it', async () => {
  const on = new Publishing();
  on.nats.isClosed = true;
  const published = on.publish('a');
  await turn();
  expect(published.value).toBeInstanceOf(LogUnavailableError);
  expect(on.publisher.pending).toBe(0);
});

describe('stopping', () => {
  it('takes nothing new, ends when what is pending has settled, and leaves no timer', async () => {
    const on = new Publishing({ windowMax: 1 });
    const [one, other] = [on.publish('a'), on.publish('b')];
    await turn();
    let isClosed = false;
    const closing = on.publisher.close(60_000).then(() => {
      isClosed = true;
    });
    const late = on.publish('late');
    await turn();
    expect(late.value).toBeInstanceOf(LogUnavailableError);
    on.attempt('a').answer(stored(1));
    await passes(10);
    expect(isClosed).toBe(false);
    on.attempt('b').answer(stored(2));
    await passes(10);
    await closing;
    expect([one.value, other.value]).toMatchObject([{ seq: 1 }, { seq: 2 }]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('gives up what is pending when its time is over: unknown what was sent, not stored what was not', async () => {
    const on = new Publishing({ windowMax: 2, deadlineMs: 60_000, ackTimeoutMs: 30_000 });
    const [sent, delayed, queued] = ['sent', 'delayed', 'queued'].map((key) => on.publish(key));
    await turn();
    on.attempt('delayed').answer('');
    const closing = on.publisher.close(30);
    await passes(29);
    expect([sent?.value, delayed?.value, queued?.value]).toEqual([null, null, null]);
    await passes(10);
    await closing;
    expect(sent?.value).toBeInstanceOf(UnknownOutcomeError);
    expect(delayed?.value).toBeInstanceOf(LogUnavailableError);
    expect(queued?.value).toBeInstanceOf(LogUnavailableError);
    expect(on.publisher.pending).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('with a circuit', () => {
  /** One that the test switches: what decides is held by a spec of its own. */
  function circuit() {
    const state = { refuses: false, acknowledged: 0, appends: null as Appends | null };
    const stub = {
      get refuses() {
        return state.refuses;
      },
      attach: (appends: Appends) => {
        state.appends = appends;
      },
      acknowledged: () => {
        state.acknowledged += 1;
      },
      unavailableError: () => new LogUnavailableError('the circuit refuses'),
    };
    return { state, stub: stub as unknown as LogCircuit };
  }
  const CIRCUIT_REFUSES = expect.objectContaining({ message: 'the circuit refuses' });

  it('that refuses, new messages are refused, and at once those that certainly are not stored', async () => {
    const { state, stub } = circuit();
    const on = new Publishing({ windowMax: 2, circuit: stub });
    const [sent, delayed, queued] = ['sent', 'delayed', 'queued'].map((key) => on.publish(key));
    await turn();
    on.attempt('delayed').answer('');
    state.refuses = true;
    state.appends?.onUnavailable();
    const late = on.publish('late');
    await turn();
    expect([delayed?.value, queued?.value, late.value]).toEqual(Array(3).fill(CIRCUIT_REFUSES));
    // What may be stored waits for its answer until its deadline, and is not sent again.
    await passes(DEADLINE_MS - SWEEP_MS);
    expect(sent?.value).toBeNull();
    await passes(2 * SWEEP_MS);
    expect(sent?.value).toBeInstanceOf(UnknownOutcomeError);
    expect(on.sentIds).toEqual(['sent', 'delayed']);
  });

  it('keeps waiting for what may be stored, though it was told "not now" last', async () => {
    const { state, stub } = circuit();
    const on = new Publishing({ circuit: stub });
    const published = on.publish('a');
    await turn();
    await passes(ACK_MS + SWEEP_MS);
    on.attempt('a').answer('');
    state.refuses = true;
    state.appends?.onUnavailable();
    await turn();
    expect(published.value).toBeNull();
    await passes(DEADLINE_MS);
    expect(published.value).toBeInstanceOf(UnknownOutcomeError);
  });

  it("sends what is owed again on a trial, and gives it a time-out's length when the log is back", async () => {
    const { state, stub } = circuit();
    const on = new Publishing({ circuit: stub, deadlineMs: 60_000 });
    const published = on.publish('a');
    await turn();
    expect(state.appends?.isOwed()).toBe(true);
    state.refuses = true;
    await passes(5 * ACK_MS);
    expect(on.sentIds).toEqual(['a']);
    state.appends?.onTrial();
    expect(on.sentIds).toEqual(['a', 'a']);
    await passes(5 * ACK_MS);
    state.refuses = false;
    state.appends?.onAvailable();
    await passes(ACK_MS - SWEEP_MS);
    expect(on.sentIds).toEqual(['a', 'a']);
    on.attempt('a').answer(stored(4));
    await turn();
    expect(published.value).toMatchObject({ seq: 4 });
    expect(state.acknowledged).toBe(1);
    expect(state.appends?.isOwed()).toBe(false);
  });
});
