import { beforeEach, describe, expect, it } from 'vitest';
import { renameConversation } from '../../../../src/application/commands/renameConversation.ts';
import { ConversationStore } from '../../../../src/application/conversations/conversationStore.ts';
import { MemoryEventLog } from '../../../../src/eventlog/memory/memoryEventLog.ts';
import type { StoredEvent } from '../../../../src/ports/eventLog.ts';
import { conversationOf, processOn, withLog } from '../../../support/application/application.ts';
import { C2 } from '../../../support/domain/conversations.ts';

let memory: MemoryEventLog;
let conversationId: string;
let reads: number;
let store: ConversationStore;

/** A conversation that was created at 1 and renamed at 2, and a store that knows nothing of it yet. */
beforeEach(async () => {
  memory = new MemoryEventLog();
  const writer = processOn(memory);
  conversationId = await conversationOf(writer);
  await renameConversation(writer, { conversationId, userId: 'alice', title: 'Coffee' });
  reads = 0;
  store = storeOf();
});

function storeOf(options?: { cachedMax: number }): ConversationStore {
  const counted = withLog(memory, {
    latest: (id, category) => {
      reads += 1;
      return memory.latest(id, category);
    },
  });
  return new ConversationStore(counted, options);
}

async function stored(seq: number): Promise<StoredEvent> {
  const event = await memory.at(seq);
  if (event === null) throw new Error(`Nothing is stored at ${seq}`);
  return event;
}

describe('the conversation store', () => {
  it('reads a conversation once and then knows it', async () => {
    expect(await store.load(conversationId)).toMatchObject({ state: { title: 'Coffee' }, version: 2 });
    expect(await store.load(conversationId)).toMatchObject({ version: 2 });
    expect(reads).toBe(1);
  });

  it('asks the log once for all who ask at the same time', async () => {
    const loaded = await Promise.all([store.load(conversationId), store.loadFresh(conversationId)]);
    expect(loaded.map(({ version }) => version)).toEqual([2, 2]);
    expect(reads).toBe(1);
  });

  it('never remembers that there is none', async () => {
    expect(await store.load(C2)).toEqual({ state: null, version: 0 });
    await store.load(C2);
    expect([reads, store.cached(C2)]).toEqual([2, undefined]);
  });

  it('is not taken back by an older event from the tail', async () => {
    await store.load(conversationId);
    store.observe(await stored(1));
    expect(store.cached(conversationId)).toMatchObject({ state: { title: 'Coffee' }, version: 2 });
  });

  it('follows the tail only for what it holds', async () => {
    store.observe(await stored(2));
    expect(store.cached(conversationId)).toBeUndefined();
  });

  it('holds a bounded number', async () => {
    const small = storeOf({ cachedMax: 1 });
    await small.load(conversationId);
    await small.load(await conversationOf(processOn(memory)));
    expect(small.cached(conversationId)).toBeUndefined();
  });

  it('tries again after a read that failed', async () => {
    const answers = [Promise.reject(new Error('down')), memory.latest(conversationId, 'conversation')];
    const flaky = new ConversationStore(
      withLog(memory, { latest: () => answers.shift() ?? Promise.resolve(null) }),
    );
    await expect(flaky.load(conversationId)).rejects.toThrow('down');
    await expect(flaky.load(conversationId)).resolves.toMatchObject({ version: 2 });
  });

  it('forgets everything when told to', async () => {
    await store.load(conversationId);
    store.clear();
    expect(store.cached(conversationId)).toBeUndefined();
  });
});
