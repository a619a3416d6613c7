import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FollowingReceipts, ReceiptLog, StoredReceipt } from '../../src/ports/receipts.ts';
import { C1, C2 } from '../support/domain/conversations.ts';
import { waitFor } from '../support/time/waitFor.ts';

export interface ReceiptsHarness {
  readonly receipts: ReceiptLog;
  close(): Promise<void>;
}

/** What every implementation of the receipts must do. */
export function receiptsContract(name: string, open: () => Promise<ReceiptsHarness>): void {
  describe(name, () => {
    let harness: ReceiptsHarness;
    let followings: FollowingReceipts[];
    beforeEach(async () => {
      harness = await open();
      followings = [];
    });
    afterEach(async () => {
      for (const following of followings) await following.stop();
      await harness.close();
    });

    const receipt = (conversationId: string, userId: string, seq: number) => ({
      conversationId,
      userId,
      seq,
      at: '2026-11-23T10:30:15.123Z',
    });
    const follow = async (after: number) => {
      const seen: StoredReceipt[] = [];
      const onReceipt = (stored: StoredReceipt) => seen.push(stored);
      followings.push(await harness.receipts.follow({ after, unreleasedMax: 1_000, onReceipt }));
      return seen;
    };

    test('the newest receipt of each user and conversation is kept, whatever the user is called', async () => {
      const { receipts } = harness;
      for (const userId of ['alice', '* > .', 'a.b', '😀', '__proto__']) {
        await receipts.mark(receipt(C1, userId, 5));
        await receipts.mark(receipt(C1, userId, 9));
        await receipts.mark(receipt(C2, userId, 7));
        expect(await receipts.latest(C1, userId)).toEqual(receipt(C1, userId, 9));
        expect(await receipts.latest(C2, userId)).toEqual(receipt(C2, userId, 7));
      }
      expect(await receipts.latest(C1, 'nobody')).toBeNull();
    });

    test('a follower gets what there is and then what comes, and goes on behind where it was', async () => {
      const { receipts } = harness;
      await receipts.mark(receipt(C1, 'alice', 1));
      await receipts.mark(receipt(C1, 'bob', 2));
      await receipts.mark(receipt(C1, 'alice', 3));
      const seen = await follow(0);
      await waitFor('what there is', () => seen.length === 2);
      expect(seen.map(({ userId, seq }) => [userId, seq])).toEqual([
        ['bob', 2],
        ['alice', 3],
      ]);
      await receipts.mark(receipt(C2, 'carol', 4));
      await waitFor('what comes', () => seen.length === 3);
      const later = await follow(seen[1]?.receiptSeq ?? 0);
      await waitFor('the rest', () => later.length === 1);
      expect(later).toEqual(seen.slice(2));
    });

    test('positions grow, and the incarnation keeps its name', async () => {
      const { receipts } = harness;
      const identity = await receipts.identity();
      const seen = await follow(0);
      for (let seq = 1; seq <= 20; seq++) await receipts.mark(receipt(C1, `user${seq}`, seq));
      await waitFor('all', () => seen.length === 20);
      const positions = seen.map(({ receiptSeq }) => receiptSeq);
      expect(positions).toEqual([...positions].sort((a, b) => a - b));
      expect(await receipts.identity()).toBe(identity);
    });
  });
}
