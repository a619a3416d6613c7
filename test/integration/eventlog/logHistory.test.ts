import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { historyProjection } from '../../../projections/history/history.ts';
import { LogHistory } from '../../../src/application/reading/logHistory.ts';
import { encodeEvent } from '../../../src/contracts/events/events.ts';
import type { MessagesQuestion } from '../../../src/contracts/http/messagesQuestion.ts';
import { categoryOf, type MessagePosted } from '../../../src/domain/conversation/events.ts';
import { MemoryEventLog } from '../../../src/eventlog/memory/memoryEventLog.ts';
import { projectRootUrl } from '../../../src/platform/embedded/projectRootUrl.ts';
import { openDatabase } from '../../../src/platform/postgres/database.ts';
import type { EventFeed } from '../../../src/ports/eventFeed.ts';
import { readMessages } from '../../../src/queries/readMessages.ts';
import { withLog } from '../../support/application/application.ts';
import { createMigratedDatabase } from '../../support/projections/historyDatabase.ts';
import {
  batchSizes,
  CONVERSATIONS,
  messageIdOf,
  partlyErased,
  type RandomHistory,
  randomHistory,
  randomHistoryWithoutRepeats,
} from '../../support/projections/randomHistory.ts';
import { createTables, writeLog } from '../../support/projections/readModelTables.ts';
import type { TestDatabase } from '../../support/servers/postgres.ts';
import { waitFor } from '../../support/time/waitFor.ts';

let testDatabase: TestDatabase;
let client: pg.Client;

beforeAll(async () => {
  testDatabase = await createMigratedDatabase();
  client = new pg.Client({ connectionString: testDatabase.url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await testDatabase.drop();
});

/** The log with these events, some of them erased. */
async function logOf({ events }: RandomHistory, erased: readonly number[]): Promise<MemoryEventLog> {
  const log = new MemoryEventLog();
  for (const [index, event] of events.entries()) {
    const { conversationId } = event;
    const request = { conversationId, category: categoryOf(event), bytes: encodeEvent(event) };
    await log.append({ ...request, idempotencyKey: `event ${index}` });
  }
  for (const seq of erased) await log.erase(seq);
  return log;
}

const question = fc
  .record({
    conversationId: fc.constantFrom(...CONVERSATIONS),
    range: fc.oneof(fc.constant({}), fc.record({ before: fc.nat(100) }), fc.record({ after: fc.nat(100) })),
    limit: fc.integer({ min: 1, max: 6 }),
  })
  .map(({ range, ...rest }): MessagesQuestion => ({ ...rest, ...range }));

const gone = fc.array(fc.boolean(), { minLength: 1, maxLength: 10 });

/** Reads both ways and compares. The read model has seen what is erased by now; the log may not hold it any more. */
async function expectSame(
  history: RandomHistory,
  sizes: readonly number[],
  isGone: readonly boolean[],
  questions: readonly MessagesQuestion[],
): Promise<void> {
  const projection = historyProjection(projectRootUrl());
  const log = await logOf(history, partlyErased(history, isGone));
  const schema = await createTables(client, projection);
  await writeLog(client, projection, schema, history.events, sizes);
  const options = encodeURIComponent(`-c search_path=${schema},public`);
  const url = `${testDatabase.url}?connection_limit=1&options=${options}`;
  const database = openDatabase({ url, applicationName: 'test' });
  // Looks back a little at first, so that it has to look again.
  const logHistory = new LogHistory({ log, feed: log, lookBackEvents: 2 });
  try {
    for (const question of questions) {
      const shown = await readMessages(database, question);
      const told = await logHistory.read(question, { fresh: true });
      expect(JSON.parse(told.messagesJson)).toEqual(JSON.parse(shown.messagesJson));
      expect(told.hasMore).toBe(shown.hasMore);
    }
  } finally {
    await database.close();
    await client.query(`DROP SCHEMA ${schema} CASCADE`);
  }
}

it('shows what the read model shows, page by page, whatever was edited, deleted, erased and reacted to', async () => {
  const questions = fc.array(question, { minLength: 10, maxLength: 20 });
  await fc.assert(fc.asyncProperty(randomHistoryWithoutRepeats, batchSizes, gone, questions, expectSame), {
    numRuns: 30,
    endOnFailure: true,
  });
});

it('shows a message once however often it was sent, when it reads the conversation from its start', async () => {
  const whole = CONVERSATIONS.map((conversationId) => ({ conversationId, limit: 200 }));
  await fc.assert(
    fc.asyncProperty(randomHistory, batchSizes, gone, (history, sizes, isGone) =>
      expectSame(history, sizes, isGone, whole),
    ),
    { numRuns: 15, endOnFailure: true },
  );
});

describe('bounds', () => {
  const C = CONVERSATIONS[0];
  const posted = (n: number) => ({
    ...{ type: 'MessagePosted', v: 1, conversationId: C, userId: 'alice', at: '2026-03-01T10:20:00.000Z' },
    ...{ messageId: messageIdOf(0, n), clientMessageId: `k${n}`, content: `message ${n}` },
    ...{ replyTo: null, attachments: [] },
  });
  const logWith = (count: number) =>
    logOf({ events: Array.from({ length: count }, (_, n) => posted(n)) as MessagePosted[], erased: [] }, []);

  it('a page too far back is refused as what the database alone could answer', async () => {
    const log = await logWith(50);
    const logHistory = new LogHistory({ log, feed: log, eventsMax: 20, lookBackEvents: 4 });
    const recent = await logHistory.read({ conversationId: C, limit: 3 }, { fresh: true });
    expect(JSON.parse(recent.messagesJson)).toMatchObject([{ seq: 48 }, { seq: 49 }, { seq: 50 }]);
    const old = logHistory.read({ conversationId: C, before: 10, limit: 3 }, { fresh: true });
    await expect(old).rejects.toMatchObject({ code: 'database_unavailable', retryable: true });
  });

  it('many who ask the same share one read, and see what is said later when they ask again', async () => {
    const log = await logWith(10);
    let reads = 0;
    const feed: EventFeed = {
      follow: (options) => {
        reads += 1;
        return log.follow(options);
      },
    };
    const logHistory = new LogHistory({ log, feed });
    const ask = () => logHistory.read({ conversationId: C, limit: 5 }, { fresh: false });
    await Promise.all(Array.from({ length: 100 }, ask));
    await ask();
    expect(reads).toBe(1);
    const bytes = encodeEvent(posted(10) as MessagePosted);
    await log.append({ conversationId: C, category: 'message', bytes, idempotencyKey: 'later' });
    expect(JSON.parse((await ask()).messagesJson).at(-1)).toMatchObject({ content: 'message 10' });
  });

  it('who names a position is not given a read that was under way before', async () => {
    const log = await logWith(3);
    const held: (() => void)[] = [];
    const slow: Pick<MemoryEventLog, 'latest'> = {
      latest: async (...which) => {
        const found = await log.latest(...which);
        await new Promise<void>((resolve) => held.push(resolve));
        return found;
      },
    };
    const logHistory = new LogHistory({ log: withLog(log, slow), feed: log });
    const before = logHistory.read({ conversationId: C, limit: 5 }, { fresh: false });
    await waitFor('the first read', () => held.length === 1);
    const bytes = encodeEvent(posted(3) as MessagePosted);
    await log.append({ conversationId: C, category: 'message', bytes, idempotencyKey: 'mine' });
    const after = logHistory.read({ conversationId: C, limit: 5 }, { fresh: true });
    await waitFor('the second read', () => held.length === 2);
    for (const go of held) go();
    expect(JSON.parse((await before).messagesJson)).toHaveLength(3);
    expect(JSON.parse((await after).messagesJson)).toHaveLength(4);
  });
});
