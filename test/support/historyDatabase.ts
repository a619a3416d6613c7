import { pathToFileURL } from 'node:url';
import { historyProjection } from '../../projections/history/history.ts';
import { PostgresStore } from '../../projections/runner/postgresStore.ts';
import { decodeEvent } from '../../src/contracts/events.ts';
import { groupOf } from '../../src/contracts/subjects.ts';
import { migrate } from '../../src/platform/migrate.ts';
import type { TestApi } from './httpApi.ts';
import { createTestDatabase, type TestDatabase } from './postgres.ts';

const root = pathToFileURL(`${process.cwd()}/`);
export const migrationsDirectory = 'prisma/migrations';

/** A fresh database with the schema of the project, but no read model yet. */
export async function createMigratedDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase();
  await migrate({ url: database.url, directory: migrationsDirectory });
  return database;
}

/**
 * Projects what the API's log holds and the history does not yet, all of it in one batch, as the projector would. Its
 * checkpoint then is the log's end, which is returned; nothing is announced.
 */
export async function projectHistory({ log, database: { pool } }: TestApi): Promise<number> {
  const projection = historyProjection(root);
  const store = new PostgresStore({ projection, pool, worker: 'test' });
  const { lastSeq } = await log.status();
  const { claims } = await store.balance(log.epoch, { state: 'starting', reason: null });
  for (const claim of claims) {
    const events = [];
    for (let seq = claim.seq + 1; seq <= lastSeq; seq++) {
      const stored = await log.at(seq);
      if (stored === null || groupOf(stored.conversationId) !== claim.group) continue;
      events.push({ seq, event: decodeEvent(stored.bytes, seq) });
    }
    const storedAtMs = (await log.at(lastSeq))?.storedAtMs ?? Date.now();
    const to = { seq: lastSeq, storedAtMs, fingerprint: null };
    const changes = projection.project({ group: claim.group, events, holes: [] });
    await store.commit(claim, { changes, to, park: [], unpark: [] });
  }
  return lastSeq;
}
