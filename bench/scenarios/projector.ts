import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { historyProjection } from '../../projections/history/history.ts';
import { PostgresStore } from '../../projections/runner/postgresStore.ts';
import { ProjectionRunner } from '../../projections/runner/runner.ts';
import { encodeEvent } from '../../src/contracts/events.ts';
import type { MessagePosted } from '../../src/domain/conversation/events.ts';
import type { JetStreamLog } from '../../src/eventlog/jetstream/jetStreamLog.ts';
import { systemIds } from '../../src/platform/ids.ts';
import { migrate } from '../../src/platform/migrate.ts';
import { projectRootUrl } from '../../src/platform/projectRootUrl.ts';
import { systemTimers } from '../../src/platform/timers.ts';
import { openBenchLog } from '../support/log.ts';
import { startBenchServers } from '../support/servers.ts';

/**
 * The history projector, from the log to committed rows, against bare `unnest` inserts of the same rows into the same
 * tables (messages with all their indexes, nothing else) over one connection. Wanted: ≥ 0.6.
 */
const MESSAGES = Number(process.env.BENCH_MESSAGES ?? 200_000);
const CONVERSATIONS = 1_000;
const USERS = 2_000;
const BATCH = 2_000;

const servers = await startBenchServers({ postgres: true });
const pool = new pg.Pool({ connectionString: servers.databaseUrl, max: 4 });
const { log, connection } = await openBenchLog(servers.natsUrl);
try {
  const posted = await fill(log);
  await migrate({
    url: servers.databaseUrl,
    directory: fileURLToPath(new URL('prisma/migrations', projectRootUrl())),
  });
  const bareFirst = await bareInserts(posted);
  const projected = await project(log);
  const bareAgain = await bareInserts(posted);
  const bare = (bareFirst + bareAgain) / 2;
  console.log(
    `projector: bare unnest ${Math.round(bare)} rows/s, projector ${Math.round(projected)} events/s, ` +
      `ratio ${(projected / bare).toFixed(2)} (wanted ≥ 0.6)`,
  );
} finally {
  await pool.end();
  await log.close(1_000);
  await connection.close();
  await servers.stop();
}

async function fill(target: JetStreamLog): Promise<MessagePosted[]> {
  const at = new Date().toISOString();
  const ids = Array.from({ length: CONVERSATIONS }, () => systemIds.conversationId());
  for (const conversationId of ids) {
    const state = {
      title: 'bench',
      visibility: 'open',
      participantIds: ['bench'],
      createdBy: 'bench',
      createdAt: at,
      archived: false,
    } as const;
    const event = { type: 'ConversationCreated', v: 1, conversationId, userId: 'bench', at, state } as const;
    const idempotencyKey = systemIds.idempotencyKey();
    await target.append({
      conversationId,
      category: 'conversation',
      bytes: encodeEvent(event),
      idempotencyKey,
    });
  }
  const posted = Array.from({ length: MESSAGES }, (_, n) => message(n, ids[n % CONVERSATIONS] ?? '', at));
  for (let start = 0; start < posted.length; start += 8_192) {
    await Promise.all(
      posted.slice(start, start + 8_192).map((event) =>
        target.append({
          conversationId: event.conversationId,
          category: 'message',
          bytes: encodeEvent(event),
          idempotencyKey: event.messageId,
        }),
      ),
    );
  }
  return posted;
}

function message(n: number, conversationId: string, at: string): MessagePosted {
  const userId = `user-${(n * 7) % USERS}`;
  const clientMessageId = `k${n}`;
  const messageId = systemIds.messageId(conversationId, userId, clientMessageId);
  const ids = { messageId, conversationId, userId, clientMessageId };
  return {
    type: 'MessagePosted',
    v: 1,
    ...ids,
    content: 'x'.repeat(100),
    replyTo: null,
    attachments: [],
    at,
  };
}

/** @returns rows per second */
async function bareInserts(posted: readonly MessagePosted[]): Promise<number> {
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

/** @returns events per second, from the start of the runner to the commit of the last one */
async function project(source: JetStreamLog): Promise<number> {
  const { lastSeq } = await source.status();
  let finish = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const projection = historyProjection(projectRootUrl());
  const runner = new ProjectionRunner({
    projection,
    store: new PostgresStore({ projection, pool, worker: 'bench' }),
    log: source,
    feed: source,
    timers: systemTimers,
    batchMax: BATCH,
    onCommit: () => (runner.checkpoint ?? 0) >= lastSeq && finish(),
    onEvent: (event) => event.type === 'projectionFailed' && console.error(event.error),
  });
  const startedAt = performance.now();
  runner.start();
  await finished;
  const perSecond = lastSeq / ((performance.now() - startedAt) / 1_000);
  await runner.stop();
  return perSecond;
}
