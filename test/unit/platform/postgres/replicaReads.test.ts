import { afterEach, beforeEach, expect, it } from 'vitest';
import { ChatError } from '../../../../src/contracts/errors.ts';
import type { Reads } from '../../../../src/platform/postgres/database.ts';
import { ReplicaReads, type ReplicaState } from '../../../../src/platform/postgres/replicaReads.ts';
import { ManualTime } from '../../../support/time/manualTime.ts';
import { waitFor } from '../../../support/time/waitFor.ts';

let time: ManualTime;
let lag: number | Error;
let fault: Error | null;
let asked: string[];
let states: ReplicaState[];
let reads: ReplicaReads;
let firstLook: () => void;

/** Says who was asked; the question itself is never put. */
function named(name: string, fails: () => Error | null): Reads {
  return {
    ask: async (operation) => {
      asked.push(name);
      const error = fails();
      if (error !== null) throw error;
      return `${operation} by ${name}` as never;
    },
  };
}

const question = () => reads.ask('readMessages', async () => 'unused');
const look = async (state: ReplicaState) => {
  firstLook();
  await waitFor('the first look', () => reads.state !== 'unknown', { everyMs: 1 });
  await time.advance(1_200);
  await waitFor(`the replica to be ${state}`, () => reads.state === state, { everyMs: 1 });
};

beforeEach(() => {
  time = new ManualTime();
  [lag, fault, asked, states] = [0, null, [], []];
  const looking = new Promise<void>((resolve) => {
    firstLook = resolve;
  });
  reads = new ReplicaReads({
    primary: named('primary', () => null),
    replica: named('replica', () => fault),
    lagSeconds: async () => {
      await looking;
      if (lag instanceof Error) throw lag;
      return lag;
    },
    lagSecondsMax: 5,
    timers: time,
    onChange: (state) => states.push(state),
  });
});
afterEach(() => reads.stop());

it('asks the primary until the replica was looked at, then the replica', async () => {
  expect(await question()).toBe('readMessages by primary');
  firstLook();
  await waitFor('the first look', () => reads.state === 'usable', { everyMs: 1 });
  expect(await question()).toBe('readMessages by replica');
});

it('leaves a replica alone that is too far behind or away, and comes back to it by itself', async () => {
  lag = 5.1;
  await look('behind');
  expect(await question()).toBe('readMessages by primary');
  lag = new Error('refused');
  await look('away');
  expect(await question()).toBe('readMessages by primary');
  lag = 5;
  await look('usable');
  expect(await question()).toBe('readMessages by replica');
  expect(states).toEqual(['behind', 'away', 'usable']);
});

it('asks the primary what the replica failed to answer, but not what is wrong with the question', async () => {
  await look('usable');
  fault = new ChatError('database_unavailable', 'canceling statement due to conflict with recovery');
  expect(await question()).toBe('readMessages by primary');
  expect(asked).toEqual(['replica', 'primary']);
  fault = new TypeError('a bug');
  await expect(question()).rejects.toThrow('a bug');
  expect(asked).toEqual(['replica', 'primary', 'replica']);
});

it('looks no more once it is stopped', async () => {
  await look('usable');
  reads.stop();
  lag = 100;
  await time.advance(10_000);
  expect(reads.state).toBe('usable');
});
