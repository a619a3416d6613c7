import { pathToFileURL } from 'node:url';
import { allProjections } from '../../../projections/all.ts';
import { seeLog } from '../../../projections/runner/control/logLineage.ts';
import { PostgresStore } from '../../../projections/runner/postgresStore.ts';
import { decodeEvent } from '../../../src/contracts/events/events.ts';
import { groupOf } from '../../../src/contracts/events/subjects.ts';
import { migrate } from '../../../src/platform/postgres/migrations/migrate.ts';
import type { TestApi } from '../http/httpApi.ts';
import { createTestDatabase, type TestDatabase } from '../servers/postgres.ts';

const root = pathToFileURL(`${process.cwd()}/`);
export const migrationsDirectory = 'prisma/migrations';

/** A fresh database with the schema of the project, but no read model yet. */
export async function createMigratedDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase();
  await migrate({ url: database.url, directory: migrationsDirectory });
  return database;
}

/**
 * Projects what the API's log holds and the read models do not yet, all of it in one batch, as the projector would.
 * Their checkpoints then are the log's end, which is returned; nothing is announced.
 */
export async function projectAll(api: TestApi): Promise<number> {
  const { lastSeq } = await api.log.status();
  const stored = await Promise.all(Array.from({ length: lastSeq }, (_, index) => api.log.at(index + 1)));
  const holes = stored.flatMap((event, index) => (event === null ? [index + 1] : []));
  const events = stored.flatMap((event, index) => (event === null ? [] : [{ seq: index + 1, event }]));
  for (const projection of allProjections(root)) {
    const store = new PostgresStore({ projection, pool: api.database.pool, worker: 'test' });
    const { claims } = await store.heartbeat(await seeLog(api.log), { state: 'starting', reason: null });
    for (const claim of claims) {
      const own = events
        .filter(({ seq, event }) => seq > claim.seq && groupOf(event.conversationId) === claim.group)
        .map(({ seq, event }) => ({ seq, event: decodeEvent(event.bytes, seq) }));
      const to = { seq: lastSeq, storedAtMs: stored.at(-1)?.storedAtMs ?? Date.now(), fingerprint: null };
      const unseen = holes.filter((seq) => seq > claim.seq);
      const changes = projection.project({ group: claim.group, events: own, holes: unseen });
      await store.commit(claim, { changes, to, park: [], unpark: [] });
    }
  }
  return lastSeq;
}
