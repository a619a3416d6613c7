import { expect, it } from 'vitest';
import { Turns } from '../../../src/application/concurrencyLimit.ts';

/** Work that ends when the test says so. */
function held() {
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { work: () => ended, end };
}

const TOO_MANY = 'Too many; try again in a moment.';

it('lets only so many in at a time, the others in the order in which they came', async () => {
  const turns = new Turns({ atOnceMax: 2, waitingMax: 10, overloaded: TOO_MANY });
  const order: number[] = [];
  const works = [held(), held(), held(), held()];
  const all = works.map(({ work }, n) =>
    turns.take(() => {
      order.push(n);
      expect(turns.atOnce).toBeLessThanOrEqual(2);
      return work();
    }),
  );
  expect(order).toEqual([0, 1]);
  works[1]?.end();
  await all[1];
  expect(order).toEqual([0, 1, 2]);
  works[0]?.end();
  await all[0];
  expect(order).toEqual([0, 1, 2, 3]);
  for (const { end } of works) end();
  await Promise.all(all);
  expect(turns.atOnce).toBe(0);
});

it('refuses those who would have to wait behind too many, and those who waited too long', async () => {
  const turns = new Turns({ atOnceMax: 1, waitingMax: 1, waitMsMax: 20, overloaded: TOO_MANY });
  const first = held();
  const working = turns.take(first.work);
  const waiting = turns.take(async () => 'in');
  await expect(turns.take(async () => 'in')).rejects.toMatchObject({ code: 'overloaded', message: TOO_MANY });
  await expect(waiting).rejects.toMatchObject({ code: 'overloaded' });
  first.end();
  await working;
  // Whoever gave up does not keep the place.
  expect(await turns.take(async () => 'in')).toBe('in');
  expect(turns.atOnce).toBe(0);
});

it('gives the place on when the work fails', async () => {
  const turns = new Turns({ atOnceMax: 1, waitingMax: 1, overloaded: TOO_MANY });
  const failing = turns.take(() => Promise.reject(new Error('no')));
  const next = turns.take(async () => 'in');
  await expect(failing).rejects.toThrow('no');
  expect(await next).toBe('in');
});
