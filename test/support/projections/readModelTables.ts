import { readFile } from 'node:fs/promises';
import type pg from 'pg';
import { BATCH_SAVEPOINT, type Projection, schemaOf } from '../../../projections/runner/projection.ts';
import { partitionOf } from '../../../src/contracts/events/subjects.ts';
import type { ChatEvent } from '../../../src/domain/conversation/events.ts';

const GROUPS = 4;
export const groupOf = (conversationId: string) => partitionOf(conversationId) % GROUPS;

/** The digest of a read model, by key. */
export type Digest = ReadonlyMap<string, string>;

/** As the runner begins a batch: small against its tables, so by index. */
const BEGIN = `
  BEGIN; SET LOCAL enable_seqscan TO off; SET LOCAL enable_hashjoin TO off; SET LOCAL enable_mergejoin TO off;
  SAVEPOINT ${BATCH_SAVEPOINT}`;

let versions = 0;

/** Makes the empty tables of a version that nobody else knows of. @returns their schema */
export async function createTables<C>(client: pg.ClientBase, projection: Projection<C>): Promise<string> {
  versions += 1;
  const schema = schemaOf(projection.name, versions);
  await client.query(`CREATE SCHEMA ${schema}; BEGIN; SET LOCAL search_path TO ${schema}`);
  await client.query(await readFile(projection.schemaSql, 'utf8'));
  await client.query('COMMIT');
  return schema;
}

/**
 * Writes a log into a version's tables: cut into batches of these sizes, each batch split by group and each group in
 * a transaction of its own, as four workers would that happen to take turns.
 *
 * @param log null: an event that the log no longer holds
 */
export async function writeLog<C>(
  client: pg.ClientBase,
  projection: Projection<C>,
  schema: string,
  log: readonly (ChatEvent | null)[],
  sizes: readonly number[],
): Promise<void> {
  let taken = 0;
  for (let n = 0; taken < log.length; n++) {
    const size = sizes[Math.min(n, sizes.length - 1)] ?? 1;
    const batch = log.slice(taken, taken + size).map((event, index) => ({ seq: taken + index + 1, event }));
    const holes = batch.filter(({ event }) => event === null).map(({ seq }) => seq);
    for (let group = 0; group < GROUPS; group++) {
      const events = batch.flatMap(({ seq, event }) =>
        event !== null && groupOf(event.conversationId) === group ? [{ seq, event }] : [],
      );
      await client.query(BEGIN);
      await projection.write(client, schema, projection.project({ group, events, holes }));
      await client.query('COMMIT');
    }
    taken += size;
  }
}

export async function digestOf<C>(
  client: pg.ClientBase,
  projection: Projection<C>,
  schema: string,
): Promise<Digest> {
  const { rows } = await client.query<{ key: string; hash: string }>(projection.digestSql(schema));
  return new Map(rows.map(({ key, hash }) => [key, hash]));
}
