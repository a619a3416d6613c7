import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ConversationState } from '../../src/domain/conversation/state.ts';
import type { SharedConversation, SharedConversations } from '../../src/ports/sharedConversations.ts';
import { C1, C2 } from '../support/domain/conversations.ts';
import { waitFor } from '../support/time/waitFor.ts';

export interface SharedUnderTest {
  /** Two processes' ways to the same cache. */
  readonly one: SharedConversations;
  readonly other: SharedConversations;
  stop(): Promise<void>;
}

const EPOCH = 'epoch-one';

function stateNamed(title: string): ConversationState {
  const about = { createdBy: 'alice', createdAt: '2026-01-01T00:00:00.000Z', archived: false };
  return { title, visibility: 'members', participantIds: ['alice', 'Зоя, "quoted"'], ...about };
}

function foundAt(version: number, asOfSeq = version): SharedConversation {
  return { state: stateNamed(`as of ${version}`), version, asOfSeq };
}

/** What every implementation of {@link SharedConversations} must do. */
export function sharedConversationsContract(name: string, start: () => Promise<SharedUnderTest>): void {
  describe(`shared conversations ${name}`, () => {
    let shared: SharedUnderTest;
    let soon: number;
    beforeEach(async () => {
      shared = await start();
      soon = Date.now() + 60_000;
    });
    afterEach(() => shared.stop());

    const arrives = (found: SharedConversation) =>
      waitFor('what was put', async () => {
        const there = await shared.other.get(EPOCH, C1);
        return there?.version === found.version && there.asOfSeq === found.asOfSeq;
      });

    it('gives one process what another left', async () => {
      expect(await shared.other.get(EPOCH, C1)).toBeNull();
      shared.one.put(EPOCH, C1, foundAt(7, 9), soon);
      await arrives(foundAt(7, 9));
      expect(await shared.other.get(EPOCH, C1)).toEqual(foundAt(7, 9));
    });

    it('keeps conversations and logs apart', async () => {
      shared.one.put(EPOCH, C1, foundAt(7), soon);
      await arrives(foundAt(7));
      expect(await shared.other.get(EPOCH, C2)).toBeNull();
      expect(await shared.other.get('epoch-two', C1)).toBeNull();
    });

    it('never goes back to something older, in whatever order it comes', async () => {
      for (const version of [3, 9, 5, 1, 8]) {
        shared[version % 2 === 0 ? 'one' : 'other'].put(EPOCH, C1, foundAt(version), soon);
      }
      await arrives(foundAt(9));
      shared.one.put(EPOCH, C1, foundAt(9, 20), soon);
      await arrives(foundAt(9, 20));
      // What is put later arrives later: once this is there, the two before it were refused.
      shared.one.put(EPOCH, C1, foundAt(9, 15), soon);
      shared.one.put(EPOCH, C1, foundAt(8, 30), soon);
      shared.one.put(EPOCH, C2, foundAt(1), soon);
      await waitFor('the last', async () => (await shared.one.get(EPOCH, C2)) !== null);
      expect(await shared.other.get(EPOCH, C1)).toEqual(foundAt(9, 20));
    });

    it('forgets what is over, and takes an older one then', async () => {
      // Left again and again, as it may be over before a slow machine has asked for it.
      await waitFor('what was put', async () => {
        shared.one.put(EPOCH, C1, foundAt(9), Date.now() + 300);
        return (await shared.other.get(EPOCH, C1))?.version === 9;
      });
      await waitFor('it to be forgotten', async () => (await shared.other.get(EPOCH, C1)) === null);
      shared.one.put(EPOCH, C1, foundAt(4), soon);
      await arrives(foundAt(4));
    });

    it('does not keep what is over already', async () => {
      shared.one.put(EPOCH, C1, foundAt(9), Date.now() - 1);
      shared.one.put(EPOCH, C2, foundAt(1), soon);
      await waitFor('the last', async () => (await shared.one.get(EPOCH, C2)) !== null);
      expect(await shared.other.get(EPOCH, C1)).toBeNull();
    });
  });
}
