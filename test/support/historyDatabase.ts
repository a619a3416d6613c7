import { pathToFileURL } from 'node:url';
import { historyProjection } from '../../projections/history/history.ts';
import { advanceCheckpoint, claimCheckpoint } from '../../projections/runner/checkpoints.ts';
import { schemaOf } from '../../projections/runner/projection.ts';
import { ensureLiveVersion } from '../../projections/runner/versions.ts';
import { decodeEvent } from '../../src/contracts/events.ts';
import { migrate } from '../../src/platform/migrate.ts';
import { inTransaction } from '../../src/platform/transaction.ts';
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
  const { version } = await ensureLiveVersion(pool, projection, log.epoch);
  await inTransaction(pool, async (client) => {
    const claim = await claimCheckpoint(client, projection.name, version);
    const { lastSeq } = await log.status();
    const events = [];
    for (let seq = claim.seq + 1; seq <= lastSeq; seq++) {
      const stored = await log.at(seq);
      if (stored !== null) events.push({ seq, event: decodeEvent(stored.bytes, seq) });
    }
    await projection.write(
      client,
      schemaOf(projection.name, version),
      projection.project({ group: 0, events, holes: [] }),
    );
    const storedAtMs = (await log.at(lastSeq))?.storedAtMs ?? Date.now();
    await advanceCheckpoint(client, claim, { seq: lastSeq, storedAtMs });
  });
  return (await log.status()).lastSeq;
}
