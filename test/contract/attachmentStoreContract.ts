import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CHUNK_BYTES } from '../../src/contracts/uploads/uploads.ts';
import { systemIds } from '../../src/platform/ids.ts';
import { type AttachmentStore, StoreFullError } from '../../src/ports/attachmentStore.ts';
import { C1 } from '../support/domain/conversations.ts';
import { readAll, storeUpload, uploadBytes } from '../support/http/uploads.ts';
import { waitFor } from '../support/time/waitFor.ts';

export interface AttachmentStoreHarness {
  readonly store: AttachmentStore;
  close(): Promise<void>;
}

/** What every store of uploads must do. @param open a fresh one that holds `bytesMax` bytes */
export function attachmentStoreContract(
  name: string,
  open: (bytesMax: number) => Promise<AttachmentStoreHarness>,
): void {
  describe(name, () => {
    const MB = 1_024 ** 2;
    let harness: AttachmentStoreHarness;
    let store: AttachmentStore;
    beforeEach(async () => {
      harness = await open(8 * MB);
      store = harness.store;
    });
    afterEach(() => harness.close());
    const future = Date.now() + 3_600_000;
    const everything = { after: 0, storedBeforeMs: future, leftBeforeMs: future };

    test.each([1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 5 * CHUNK_BYTES + 17])(
      'an upload of %d bytes comes back as it went in, with its facts',
      async (length) => {
        const bytes = uploadBytes(length);
        const facts = await storeUpload(store, bytes, { name: 'Å 😀.bin', userId: '* > ü' });
        const found = await store.find(facts.id);
        expect(found?.facts).toEqual(facts);
        expect((await readAll(found?.read())).equals(bytes)).toBe(true);
      },
    );

    test('any range is the bytes that a slice gives', async () => {
      const bytes = uploadBytes(3 * CHUNK_BYTES + 1_000);
      const { id } = await storeUpload(store, bytes);
      const found = await store.find(id);
      const at = fc.integer({ min: 0, max: bytes.length - 1 });
      const range = async (one: number, other: number) => {
        const [first, last] = [Math.min(one, other), Math.max(one, other)];
        const read = await readAll(found?.read({ first, last }));
        expect(read.equals(bytes.subarray(first, last + 1))).toBe(true);
      };
      for (const edge of [0, CHUNK_BYTES - 1, CHUNK_BYTES, bytes.length - 1]) await range(edge, edge);
      await fc.assert(fc.asyncProperty(at, at, range), { numRuns: 40 });
    });

    test('an upload does not exist before it is finished, nor after it was given up', async () => {
      const [id, other] = [systemIds.uploadId(), systemIds.uploadId()];
      const writer = store.begin(id);
      await writer.write(uploadBytes(2 * CHUNK_BYTES));
      expect(await store.find(id)).toBeNull();
      expect(await store.find(other)).toBeNull();
      await writer.abort();
      expect(await store.find(id)).toBeNull();
      expect(await store.survey(everything)).toEqual({ uploads: [], leftovers: [], next: null });
    });

    test('many at the same time do not mix', async () => {
      const all = Array.from({ length: 8 }, (_, n) => uploadBytes(3 * CHUNK_BYTES + n));
      const stored = await Promise.all(all.map((bytes) => storeUpload(store, bytes)));
      for (const [index, { id }] of stored.entries()) {
        expect((await readAll((await store.find(id))?.read())).equals(all[index] ?? Buffer.alloc(0))).toBe(
          true,
        );
      }
    });

    test('a removed upload is gone, its room is free again, and a reader of it breaks off', async () => {
      const before = (await store.usage()).bytes;
      const kept = await storeUpload(store, uploadBytes(10));
      const { bytes: small } = await store.usage();
      const { id } = await storeUpload(store, uploadBytes(6 * CHUNK_BYTES));
      const reading = (await store.find(id))?.read();
      await reading?.next();
      expect(await store.remove(id)).toBe(true);
      expect(await store.remove(id)).toBe(false);
      expect(await store.find(id)).toBeNull();
      await expect(readAll(reading)).rejects.toThrow(/upload/i);
      expect((await store.usage()).bytes).toBe(small);
      await store.remove(kept.id);
      expect((await store.usage()).bytes).toBe(before);
    });

    test('a full store says so, and takes again what fits when something went', async () => {
      const first = await storeUpload(store, uploadBytes(5 * MB));
      const id = systemIds.uploadId();
      const writer = store.begin(id);
      const tooMuch = async () => {
        await writer.write(uploadBytes(4 * MB));
        await writer.finish({ ...first, userId: 'bob' });
      };
      await expect(tooMuch()).rejects.toThrow(StoreFullError);
      await writer.abort();
      expect(await store.find(id)).toBeNull();
      await store.remove(first.id);
      const { bytes } = await storeUpload(store, uploadBytes(5 * MB));
      expect(bytes).toBe(5 * MB);
    });

    test('a survey tells uploads and what was left, by their age', async () => {
      const done = await storeUpload(store, uploadBytes(CHUNK_BYTES + 1));
      const left = systemIds.uploadId();
      await store.begin(left).write(uploadBytes(2 * CHUNK_BYTES));
      // The last chunk may be on its way still.
      const survey = await surveyed(() => store.survey(everything), 1);
      expect(survey.uploads).toEqual([done.id]);
      expect(survey.leftovers.map(({ id }) => id)).toEqual([left]);
      const past = Date.now() - 60_000;
      const nothing = { uploads: [], leftovers: [], next: null };
      expect(await store.survey({ after: 0, storedBeforeMs: past, leftBeforeMs: past })).toEqual(nothing);
      for (const leftover of survey.leftovers) await leftover.remove();
      expect((await store.survey(everything)).leftovers).toEqual([]);
      expect((await readAll((await store.find(done.id))?.read())).length).toBe(CHUNK_BYTES + 1);
    });

    test('what it holds, and how much it may', async () => {
      await storeUpload(store, uploadBytes(MB), { conversationId: C1 });
      const { bytes, bytesMax } = await store.usage();
      expect(bytes).toBeGreaterThanOrEqual(MB);
      expect(bytes).toBeLessThan(MB + 20_000);
      expect(bytesMax).toBe(8 * MB);
    });
  });
}

async function surveyed<T extends { leftovers: readonly unknown[] }>(ask: () => Promise<T>, wanted: number) {
  return waitFor('the leftovers', async () => {
    const survey = await ask();
    return survey.leftovers.length === wanted && survey;
  });
}
