import { beforeEach, describe, expect, it } from 'vitest';
import { postMessage } from '../../../../src/application/commands/postMessage.ts';
import { MessageSearch } from '../../../../src/application/reading/messageSearch.ts';
import { ChatError } from '../../../../src/contracts/errors.ts';
import { MemoryEventLog } from '../../../../src/eventlog/memory/memoryEventLog.ts';
import type { EventFeed } from '../../../../src/ports/eventFeed.ts';
import type { MessagePlace } from '../../../../src/ports/messagePlaces.ts';
import { conversationOf, type MemoryContext, processOn } from '../../../support/application/application.ts';

const MESSAGES = 2_000;
const ABSENT = `m_${'x'.repeat(22)}`;

let context: MemoryContext;
let conversationId: string;
let posted: { messageId: string; seq: number }[];
/** Events that the log handed out. */
let read: number;
let feed: EventFeed;
beforeEach(async () => {
  const memory = new MemoryEventLog();
  context = processOn(memory);
  conversationId = await conversationOf(context);
  posted = [];
  for (let n = 0; n < MESSAGES; n++)
    posted.push(await postMessage(context, { conversationId, userId: 'alice', content: `${n}` }));
  read = 0;
  feed = {
    follow: (options) =>
      memory.follow({
        ...options,
        onEvent: (event) => {
          read += 1;
          options.onEvent(event);
        },
      }),
  };
});

const searchWith = (place: MessagePlace | Error | null, eventsMax?: number) => {
  const search = new MessageSearch({
    log: context.memory,
    feed,
    ...(eventsMax !== undefined && { eventsMax }),
  });
  const find = async () => {
    if (place instanceof Error || place === null) throw place ?? new Error('away');
    return place;
  };
  if (place !== null) search.usePlaces({ find });
  return search;
};
const at = (n: number) => posted[n] ?? { messageId: '', seq: 0 };
const latest = () => at(MESSAGES - 1);

describe('a message whose sequence the client does not name', () => {
  it('is where the read model says, and the log is not read', async () => {
    const { messageId, seq } = at(3);
    expect(await searchWith({ seq }).seqOf(conversationId, messageId, 'alice')).toBe(seq);
    expect(read).toBe(0);
  });

  it('is searched for only in what the read model does not have yet', async () => {
    const search = searchWith({ missingUpTo: at(MESSAGES - 10).seq });
    expect(await search.seqOf(conversationId, latest().messageId, 'alice')).toBe(latest().seq);
    expect(await search.seqOf(conversationId, ABSENT, 'alice')).toBeNull();
    expect(read).toBeLessThanOrEqual(2 * 10);
  });

  it.each([
    ['there is none', null],
    ['it is away', new ChatError('database_unavailable', 'away')],
  ])(
    'is searched for from the end of the log when %s: a late one costs little, an early one all',
    async (_why, place) => {
      const search = searchWith(place);
      const late = at(MESSAGES - 100);
      expect(await search.seqOf(conversationId, late.messageId, 'alice')).toBe(late.seq);
      expect(read).toBeLessThan(600);
      for (const n of [0, 1, 255, 256, 1_743, 1_744, 1_999])
        expect(await search.seqOf(conversationId, at(n).messageId, 'alice')).toBe(at(n).seq);
      expect(await search.seqOf(conversationId, ABSENT, 'alice')).toBeNull();
      expect(await search.seqOf('c_of_nobody', ABSENT, 'alice')).toBeNull();
    },
  );

  it('is not searched for without end: only the database could tell', async () => {
    const search = searchWith(null, 500);
    await expect(search.seqOf(conversationId, ABSENT, 'alice')).rejects.toMatchObject({
      code: 'database_unavailable',
    });
    expect(read).toBeLessThan(1_000);
  });

  it('is searched for at few places at a time, fewer of one user, and nothing stays counted', async () => {
    const search = searchWith(null);
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () =>
        search.seqOf(conversationId, ABSENT, 'eve').then(
          () => 'searched',
          (error: ChatError) => error.code,
        ),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === 'searched')).toHaveLength(2);
    expect(outcomes.filter((outcome) => outcome === 'overloaded')).toHaveLength(18);
    const others = Array.from({ length: 20 }, (_, n) => search.seqOf(conversationId, ABSENT, `user${n}`));
    expect(await Promise.all(others)).toEqual(Array(20).fill(null));
    expect(await search.seqOf(conversationId, ABSENT, 'eve')).toBeNull();
  });
});
