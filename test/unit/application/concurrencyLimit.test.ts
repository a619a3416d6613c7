import { expect, it } from 'vitest';
import { ConcurrencyLimit } from '../../../src/application/concurrencyLimit.ts';

/** A task that ends when the test says so. */
function held() {
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { work: () => ended, end };
}

const TOO_MANY = 'Too many; try again in a moment.';

it('runs at most `activeMax` tasks at a time, the others in the order in which they came', async () => {
  const limit = new ConcurrencyLimit({ activeMax: 2, queuedMax: 10, overloaded: TOO_MANY });
  const order: number[] = [];
  const works = [held(), held(), held(), held()];
  const all = works.map(({ work }, n) =>
    limit.run(() => {
      order.push(n);
      expect(limit.active).toBeLessThanOrEqual(2);
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
  expect(limit.active).toBe(0);
});

it('refuses a task when too many wait, and one that has waited for too long', async () => {
  const limit = new ConcurrencyLimit({ activeMax: 1, queuedMax: 1, queuedMsMax: 20, overloaded: TOO_MANY });
  const first = held();
  const working = limit.run(first.work);
  const waiting = limit.run(async () => 'in');
  await expect(limit.run(async () => 'in')).rejects.toMatchObject({ code: 'overloaded', message: TOO_MANY });
  await expect(waiting).rejects.toMatchObject({ code: 'overloaded' });
  first.end();
  await working;
  // A task that gave up does not keep its place.
  expect(await limit.run(async () => 'in')).toBe('in');
  expect(limit.active).toBe(0);
});

it('gives the place on when a task fails', async () => {
  const limit = new ConcurrencyLimit({ activeMax: 1, queuedMax: 1, overloaded: TOO_MANY });
  const failing = limit.run(() => Promise.reject(new Error('no')));
  const next = limit.run(async () => 'in');
  await expect(failing).rejects.toThrow('no');
  expect(await next).toBe('in');
});
