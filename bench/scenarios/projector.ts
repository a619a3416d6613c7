import { readFile } from 'node:fs/promises';
import type pg from 'pg';
import type { MessagePosted } from '../../src/domain/conversation/events.ts';
import { projectRootUrl } from '../../src/platform/projectRootUrl.ts';
import { appendConversations, appendMessages } from '../support/chatHistory.ts';
import { openBenchLog } from '../support/log.ts';
import { BATCH, openBenchDatabase, projectHistory } from '../support/projecting.ts';
import { startBenchServers } from '../support/servers.ts';

/**
 * The history projector, from the log to committed rows, against bare `unnest` inserts of the same rows into the same
 * tables (messages with all their indexes, nothing else) over one connection. Wanted: ≥ 0.75.
 */
const MESSAGES = Number(process.env.BENCH_MESSAGES ?? 1_000_000);
const CONVERSATIONS = 1_000;

const servers = await startBenchServers({ postgres: true });
const pool = await openBenchDatabase(servers.databaseUrl);
const { log, connection } = await openBenchLog(servers.natsUrl);
try {
  const posted: MessagePosted[] = [];
  const conversationIds = await appendConversations(log, CONVERSATIONS);
  await appendMessages(log, MESSAGES, conversationIds, (message) => posted.push(message));
  const bareFirst = await bareInserts(pool, posted);
  const projected = await projectHistory(log, pool);
  const bareAgain = await bareInserts(pool, posted);
  const bare = (bareFirst + bareAgain) / 2;
  console.log(
    `projector: bare unnest ${Math.round(bareFirst)} and ${Math.round(bareAgain)} rows/s, ` +
      `projector ${Math.round(projected)} events/s, ratio ${(projected / bare).toFixed(2)} (wanted ≥ 0.75)`,
  );
} finally {
  await pool.end();
  await log.close(1_000);
  await connection.close();
  await servers.stop();
}

/** @returns rows per second */
async function bareInserts(pool: pg.Pool, posted: readonly MessagePosted[]): Promise<number> {
  const client = await pool.connect();
  await client.query('DROP SCHEMA IF EXISTS bare CASCADE; CREATE SCHEMA bare; SET search_path TO bare');
  await client.query(await readFile(new URL('projections/history/schema.sql', projectRootUrl()), 'utf8'));
  const startedAt = performance.now();
  for (let start = 0; start < posted.length; start += BATCH) {
    const rows = posted.slice(start, start + BATCH);
    await client.query(
      `INSERT INTO bare.messages (message_id, conversation_id, seq, ordinal, user_id, client_message_id, content, at)
       SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[],
                            $8::timestamptz[])`,
      [
        rows.map((row) => row.messageId),
        rows.map((row) => row.conversationId),
        rows.map((_, n) => start + n + 1),
        rows.map((_, n) => start + n + 1),
        rows.map((row) => row.userId),
        rows.map((row) => row.clientMessageId),
        rows.map((row) => row.content),
        rows.map((row) => row.at),
      ],
    );
  }
  const perSecond = posted.length / ((performance.now() - startedAt) / 1_000);
  await client.query('DROP SCHEMA bare CASCADE; SET search_path TO DEFAULT');
  client.release();
  return perSecond;
}
