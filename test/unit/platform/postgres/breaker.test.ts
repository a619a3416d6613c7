import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChatError } from '../../../../src/contracts/errors.ts';
import { Breaker, type BreakerState } from '../../../../src/platform/postgres/breaker.ts';
import { waitFor } from '../../../support/time/waitFor.ts';

let breaker: Breaker;
let states: BreakerState[];
beforeEach(() => {
  states = [];
  const onChange = (state: BreakerState) => states.push(state);
  breaker = new Breaker({ name: 'test', callMsMax: 100, openMs: 50, onChange });
});
afterEach(() => breaker.stop());

const down = () => Promise.reject(new ChatError('database_unavailable', 'down'));
const hangs = () => new Promise<never>(() => {});
const outcome = (call: () => Promise<unknown>) => breaker.run(call).catch((error: unknown) => error);
const open = async () => {
  for (let call = 0; call < 5; call++) await outcome(down);
  expect(breaker.state).toBe('open');
};

it('opens when calls fail, refuses at once without calling, and says when to come again', async () => {
  await open();
  let called = false;
  const refused = await outcome(() => {
    called = true;
    return Promise.resolve();
  });
  expect(called).toBe(false);
  expect(refused).toMatchObject({ code: 'database_unavailable', retryAfterMs: 50, retryable: true });
});

it('closes by itself when a call succeeds again', async () => {
  await open();
  await waitFor('a call to come through', async () => (await outcome(async () => 'fine')) === 'fine');
  expect(states).toEqual(['open', 'halfOpen', 'closed']);
});

it('lets one call at a time try, and a try that never ends does not keep it half-open', async () => {
  await open();
  await waitFor('the pause to end', () => breaker.state === 'halfOpen');
  const probe = outcome(hangs);
  expect(await outcome(async () => 'fine')).toMatchObject({ code: 'database_unavailable' });
  expect(await probe).toMatchObject({ code: 'database_unavailable' });
  await waitFor('a call to come through', async () => (await outcome(async () => 'fine')) === 'fine');
});

it('opens when calls take too long, and a try that takes too long opens it again', async () => {
  await Promise.all(Array.from({ length: 5 }, () => outcome(hangs)));
  expect(states).toEqual(['open']);
  await waitFor('the pause to end', () => breaker.state === 'halfOpen');
  await outcome(hangs);
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
    breaker = new Breaker({ name: 'test', callMsMax: 100, openMs: 20, onChange, probe });
  });

  it('closes by itself when what it needs is back, though nobody calls', async () => {
    await open();
    await waitFor('some probes', () => probes >= 3);
    isBack = true;
    await waitFor('it to close', () => breaker.state === 'closed');
    expect(await outcome(async () => 'fine')).toBe('fine');
  });

  it('never makes a caller try, and never opens further for a probe that hangs', async () => {
    breaker.stop();
    let hung = 0;
    const probe = () => {
      hung += 1;
      return hangs();
    };
    breaker = new Breaker({ name: 'test', callMsMax: 60, openMs: 10, probe });
    await open();
    let called = false;
    await waitFor('a second probe, after the first took too long', async () => {
      await outcome(async () => {
        called = true;
      });
      return hung >= 2;
    });
    expect(called).toBe(false);
  });
});
