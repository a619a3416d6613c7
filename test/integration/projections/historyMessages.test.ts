import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { historyProjection } from '../../../projections/history/history.ts';
import type { ChatEvent } from '../../../src/domain/conversation/events.ts';
import {
  evolveMessage,
  evolveReaction,
  isReactionEvent,
  type Message,
  type Reaction,
  reactionKey,
  takesReactions,
} from '../../../src/domain/conversation/message.ts';
import { projectRootUrl } from '../../../src/platform/embedded/projectRootUrl.ts';
import { createMigratedDatabase } from '../../support/projections/historyDatabase.ts';
import {
  batchSizes,
  historyOf,
  randomHistory,
  type Step,
  withoutEvents,
} from '../../support/projections/randomHistory.ts';
import { createTables, writeLog } from '../../support/projections/readModelTables.ts';
import type { TestDatabase } from '../../support/servers/postgres.ts';

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

type Shown = Message & { readonly messageId: string; readonly reactions: readonly Reaction[] };

/** Every message of the log as the domain evolves it. */
function evolved(log: readonly (ChatEvent | null)[]): Shown[] {
  const messages = new Map<string, Message>();
  const reactions = new Map<string, Map<string, Reaction>>();
  for (const [index, event] of log.entries()) {
    if (event === null || 'state' in event) continue;
    const { messageId } = event;
    const message = messages.get(messageId) ?? null;
    if (!isReactionEvent(event)) {
      const next = evolveMessage(message, event, index + 1);
      if (next !== null) messages.set(messageId, next);
    } else if (message !== null && takesReactions(message)) {
      const own = reactions.get(messageId) ?? new Map<string, Reaction>();
      const key = reactionKey(event);
      reactions.set(messageId, own.set(key, evolveReaction(own.get(key) ?? null, event, index + 1)));
    }
  }
  return [...messages]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([messageId, message]) => {
      const own = takesReactions(message) ? [...(reactions.get(messageId)?.values() ?? [])] : [];
      const present = own.filter(({ seq }) => seq !== null);
      return { messageId, ...message, reactions: present.sort((a, b) => Number(a.seq) - Number(b.seq)) };
    });
}

/** Every message of the read model. */
async function projected(schema: string): Promise<Shown[]> {
  const { rows } = await client.query(`
    SELECT message_id AS "messageId", m.seq::int, m.user_id AS "userId", client_message_id AS "clientMessageId",
           content, reply_to AS "replyTo", coalesce(attachments, '[]') AS attachments, at, edited_at AS "editedAt",
           deleted_at AS "deletedAt",
           coalesce((SELECT json_agg(json_build_object('emoji', emoji, 'userId', r.user_id, 'seq', r.seq) ORDER BY r.seq)
                     FROM ${schema}.reactions r WHERE r.message_id = m.message_id), '[]') AS reactions
    FROM ${schema}.messages m ORDER BY message_id COLLATE "C"`);
  // Times as events have them.
  return JSON.parse(JSON.stringify(rows));
}

/** Few messages and users, so that much happens to each. */
const busyHistory = fc
  .array(
    fc.tuple(
      fc.constantFrom('post', 'edit', 'delete', 'erase', 'react', 'react', 'react', 'unreact'),
      fc.constant(0),
      fc.nat(1),
      fc.nat(3),
      fc.integer({ min: -30, max: 30 }),
    ) satisfies fc.Arbitrary<Step>,
    { minLength: 1, maxLength: 60, size: 'max' },
  )
  .map(historyOf);
const anyHistory = fc.oneof(randomHistory, busyHistory);
const gone = fc.array(fc.boolean(), { minLength: 1, maxLength: 10 });

it('makes of a message what the domain does, however the log is cut and whatever was erased from it', async () => {
  const projection = historyProjection(projectRootUrl());
  const property = fc.asyncProperty(anyHistory, batchSizes, gone, async (history, sizes, isGone) => {
    const log = withoutEvents(
      history,
      history.erased.filter((_, index) => isGone[index % isGone.length]),
    );
    const schema = await createTables(client, projection);
    try {
      await writeLog(client, projection, schema, log, sizes);
      expect(await projected(schema)).toEqual(evolved(log));
    } finally {
      await client.query(`DROP SCHEMA ${schema} CASCADE`);
    }
  });
  await fc.assert(property, { numRuns: 40, endOnFailure: true });
});
