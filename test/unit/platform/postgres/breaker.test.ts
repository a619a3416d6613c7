import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ChatError } from '../../../../src/contracts/errors.ts';
import { Breaker, type BreakerState } from '../../../../src/platform/postgres/breaker.ts';

const CALL_MS_MAX = 100;
const OPEN_MS = 50;

let breaker: Breaker;
let states: BreakerState[];
beforeEach(() => {
  vi.useFakeTimers();
  states = [];
  const onChange = (state: BreakerState) => states.push(state);
  breaker = new Breaker({ name: 'test', callMsMax: CALL_MS_MAX, openMs: OPEN_MS, onChange });
});
afterEach(() => {
  breaker.stop();
  vi.useRealTimers();
});

const down = () => Promise.reject(new ChatError('database_unavailable', 'down'));
const hangs = () => new Promise<never>(() => {});
const outcome = (call: () => Promise<unknown>) => breaker.run(call).catch((error: unknown) => error);
const passes = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const open = async () => {
  for (let call = 0; call < 5; call++) await outcome(down);
  expect(breaker.state).toBe('open');
};

it('opens when calls fail, refuses at once without calling, and says when to come again', async () => {
  await open();
  await passes(OPEN_MS - 1);
  let called = false;
  const refused = await outcome(() => {
    called = true;
    return Promise.resolve();
  });
  expect(called).toBe(false);
  expect(refused).toMatchObject({ code: 'database_unavailable', retryAfterMs: OPEN_MS, retryable: true });
});

it('closes by itself when a call succeeds again', async () => {
  await open();
  await passes(OPEN_MS);
  expect(await outcome(async () => 'fine')).toBe('fine');
  expect(states).toEqual(['open', 'halfOpen', 'closed']);
});

it('lets one call at a time try, and a try that never ends does not keep it half-open', async () => {
  await open();
  await passes(OPEN_MS);
  expect(breaker.state).toBe('halfOpen');
  const probe = outcome(hangs);
  expect(await outcome(async () => 'fine')).toMatchObject({ code: 'database_unavailable' });
  await passes(CALL_MS_MAX);
  expect(await probe).toMatchObject({ code: 'database_unavailable' });
  await passes(OPEN_MS);
  expect(await outcome(async () => 'fine')).toBe('fine');
});

it('opens when calls take too long, and a try that takes too long opens it again', async () => {
  const calls = Promise.all(Array.from({ length: 5 }, () => outcome(hangs)));
  await passes(CALL_MS_MAX - 1);
  expect(states).toEqual([]);
  await passes(1);
  await calls;
  expect(states).toEqual(['open']);
  await passes(OPEN_MS);
  expect(breaker.state).toBe('halfOpen');
  const probe = outcome(hangs);
  await passes(CALL_MS_MAX);
  await probe;
  expect(states).toEqual(['open', 'halfOpen', 'open']);
});

it('takes what is no fault of the database for an answer', async () => {
  for (let call = 0; call < 20; call++) {
    await outcome(() => Promise.reject(new ChatError('not_found', 'no such thing')));
    await outcome(() => Promise.reject(new TypeError('a bug')));
  }
  expect(breaker.state).toBe('closed');
  expect(await outcome(() => Promise.reject(new TypeError('a bug')))).toBeInstanceOf(TypeError);
});

describe('with a probe', () => {
  let isBack: boolean;
  let probes: number;
  beforeEach(() => {
    breaker.stop();
    [isBack, probes, states] = [false, 0, []];
    const probe = async () => {
      probes += 1;
      if (!isBack) await down();
    };
    const onChange = (state: BreakerState) => states.push(state);
    breaker = new Breaker({ name: 'test', callMsMax: CALL_MS_MAX, openMs: OPEN_MS, onChange, probe });
  });

  it('closes by itself when what it needs is back, though nobody calls', async () => {
    await open();
    await passes(3 * OPEN_MS);
    expect(probes).toBe(3);
    isBack = true;
    await passes(OPEN_MS);
    expect(breaker.state).toBe('closed');
    expect(await outcome(async () => 'fine')).toBe('fine');
  });

  it('never makes a caller try, and never opens further for a probe that hangs', async () => {
    breaker.stop();
    let hung = 0;
    const probe = () => {
      hung += 1;
      return hangs();
    };
    breaker = new Breaker({ name: 'test', callMsMax: CALL_MS_MAX, openMs: OPEN_MS, probe });
    await open();
    let called = false;
    // A second probe comes after the first took too long.
    for (let ms = 0; ms < 2 * OPEN_MS + CALL_MS_MAX; ms += 10) {
      await passes(10);
      await outcome(async () => {
        called = true;
      });
    }
    expect(hung).toBe(2);
    expect(called).toBe(false);
  });
});
