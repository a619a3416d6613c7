import { describe, expect, it } from 'vitest';
import type { QueuedEvent } from '../../../../projections/runner/groupQueue.ts';
import { retryParked } from '../../../../projections/runner/parkedRetry.ts';
import type { ParkedConversation } from '../../../../projections/runner/store.ts';

const conversationId = 'c_aaaaaaaaaaaaaaaaaaaaa';
const parked: ParkedConversation = {
  conversationId,
  seq: 4,
  error: 'before',
  attempts: 1,
  retryRequested: true,
};

const base = (seq: number) => ({ seq, storedAtMs: seq, conversationId, bytes: new Uint8Array() });
const readable = (seq: number): QueuedEvent => ({
  ...base(seq),
  event: { type: 'MessageDeleted', v: 1, conversationId, messageId: `m${seq}`, userId: 'alice', at: 'then' },
});
const unreadable = (seq: number): QueuedEvent => ({ ...base(seq), error: new Error(`no JSON at ${seq}`) });
const seqs = (retry: ReturnType<typeof retryParked>) => retry.events.map(({ seq }) => seq);

describe('a chunk of a parked conversation', () => {
  it('ends the wait when it is the last', () => {
    const retry = retryParked(parked, { events: [readable(4), readable(9)], more: false });
    expect(seqs(retry)).toEqual([4, 9]);
    expect(retry).toMatchObject({ park: [], unpark: [conversationId] });
  });

  it('moves the wait past its events when more follow, and the retry goes on', () => {
    const retry = retryParked(parked, { events: [readable(4), readable(9)], more: true });
    expect(seqs(retry)).toEqual([4, 9]);
    expect(retry).toMatchObject({ park: [{ ...parked, seq: 10 }], unpark: [] });
    expect(retryParked(parked, { events: [], more: true }).park).toEqual([parked]);
  });

  it('is projected up to an event that cannot be read, which the conversation waits at, for an operator', () => {
    for (const more of [true, false]) {
      const retry = retryParked(parked, { events: [readable(4), unreadable(7), readable(9)], more });
      expect(seqs(retry)).toEqual([4]);
      const again = { seq: 7, error: 'no JSON at 7', attempts: 2, retryRequested: false };
      expect(retry).toMatchObject({ park: [{ conversationId, ...again }], unpark: [] });
    }
  });
});
