import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Linked, LinkedList } from '../../../src/platform/linkedList.ts';

interface Item extends Linked<Item> {
  readonly held: readonly number[];
}

function newItem(held: readonly number[] = []): Item {
  return { held, previous: null, next: null };
}

test('holds what was pushed and not removed, in the order of pushing, after any changes', () => {
  const change = fc.oneof(fc.constant('push' as const), fc.nat());
  fc.assert(
    fc.property(fc.array(change), (changes) => {
      const list = new LinkedList<Item>();
      const model: Item[] = [];
      for (const change of changes) {
        if (change === 'push') {
          const item = newItem();
          list.push(item);
          model.push(item);
        } else if (model.length > 0) {
          const [item] = model.splice(change % model.length, 1);
          if (item !== undefined) list.remove(item);
        }
        expect(list.size).toBe(model.length);
        expect([...list].every((item, n) => item === model[n])).toBe(true);
      }
    }),
  );
});

test('what is at hand may be removed, and the others come all the same', () => {
  const list = new LinkedList<Item>();
  const items = Array.from({ length: 5 }, () => newItem());
  for (const item of items) list.push(item);
  const seen: Item[] = [];
  for (const item of list) {
    seen.push(item);
    list.remove(item);
  }
  expect(seen).toEqual(items);
  expect(list.size).toBe(0);
});

test('what was removed refers to nothing any more', () => {
  const list = new LinkedList<Item>();
  const items = [newItem(), newItem(), newItem()];
  for (const item of items) list.push(item);
  for (const item of items) list.remove(item);
  expect(items).toEqual([newItem(), newItem(), newItem()]);
});

test('what came and went is not left to the slow collection of garbage', () => {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as (options: { type: 'minor' | 'major' }) => void;
  const list = new LinkedList<Item>();
  const present: Item[] = [];
  const churn = (times: number) => {
    for (let n = 0; n < times; n++) {
      const item = newItem(new Array<number>(200).fill(n));
      list.push(item);
      present.push(item);
      if (present.length > 64) list.remove(present.shift() as Item);
    }
  };
  churn(100);
  gc({ type: 'major' });
  gc({ type: 'major' });
  const before = oldBytes();
  let grown = 0;
  // 160 MB in all, of which 100 KB are there at a time; a Set of them leaves 30 MB behind.
  for (let round = 0; round < 50; round++) {
    churn(2_000);
    gc({ type: 'minor' });
    grown = Math.max(grown, oldBytes() - before);
  }
  expect(grown).toBeLessThan(5 * 1_024 ** 2);
});

function oldBytes(): number {
  return getHeapSpaceStatistics().find((space) => space.space_name === 'old_space')?.space_used_size ?? 0;
}
