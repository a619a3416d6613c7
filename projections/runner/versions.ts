import { readFile } from 'node:fs/promises';
import type { ClientBase, Pool } from 'pg';
import { inTransaction } from '../../src/platform/transaction.ts';
import { PARTITION_GROUPS } from './checkpoints.ts';
import { schemaOf } from './projection.ts';

/** What of a projection its versions are made from. */
export interface VersionedProjection {
  readonly name: string;
  readonly schemaSql: URL;
  readonly relations: readonly string[];
}

export interface Version {
  readonly version: number;
  readonly status: 'building' | 'live' | 'retired';
  /** The epoch of the log that it is built from. */
  readonly epoch: string;
}

/** Any fixed number: everybody who makes or switches versions holds this advisory lock. */
const VERSIONS_LOCK = 7_201_154_003;

// Parameters: projection.
const LIST = 'SELECT version, status, epoch FROM projection_versions WHERE projection = $1 ORDER BY version';

export async function listVersions(client: ClientBase | Pool, projection: string): Promise<Version[]> {
  return (await client.query<Version>(LIST, [projection])).rows;
}

/** The live version; the very first one is made when there is none. */
export function ensureLiveVersion(
  pool: Pool,
  projection: VersionedProjection,
  epoch: string,
): Promise<Version> {
  return inTransaction(pool, async (client) => {
    await client.query('SELECT pg_advisory_xact_lock($1)', [VERSIONS_LOCK]);
    const live = (await listVersions(client, projection.name)).find((version) => version.status === 'live');
    if (live !== undefined) return live;
    const version = await createVersion(client, projection, { epoch, status: 'live' });
    await showVersion(client, projection, version.version);
    return version;
  });
}

/**
 * A version to be built beside the live one: the one an interrupted rebuild left, if it is of the same log, else a
 * new one. What earlier rebuilds have replaced is dropped now.
 */
export function ensureBuildingVersion(
  pool: Pool,
  projection: VersionedProjection,
  epoch: string,
): Promise<Version> {
  return inTransaction(pool, async (client) => {
    await client.query('SELECT pg_advisory_xact_lock($1)', [VERSIONS_LOCK]);
    const versions = await listVersions(client, projection.name);
    const resumable = versions.find((version) => version.status === 'building' && version.epoch === epoch);
    for (const { version, status } of versions) {
      if (status !== 'live' && version !== resumable?.version) await dropVersion(client, projection, version);
    }
    return resumable ?? createVersion(client, projection, { epoch, status: 'building' });
  });
}

// Parameters: projection, version, status, epoch.
const INSERT_VERSION =
  'INSERT INTO projection_versions (projection, version, status, epoch) VALUES ($1, $2, $3, $4)';
// Parameters: projection, version, number of groups.
const INSERT_CHECKPOINTS = `
  INSERT INTO projection_checkpoints (projection, version, partition_group, seq)
  SELECT $1, $2, partition_group, 0 FROM generate_series(0, $3 - 1) AS partition_group`;

async function createVersion(
  client: ClientBase,
  projection: VersionedProjection,
  options: { epoch: string; status: 'building' | 'live' },
): Promise<Version> {
  const versions = await listVersions(client, projection.name);
  const version = Math.max(0, ...versions.map((known) => known.version)) + 1;
  const schema = schemaOf(projection.name, version);
  await client.query(`CREATE SCHEMA ${schema}`);
  await client.query(`SET LOCAL search_path TO ${schema}`);
  await client.query(await readFile(projection.schemaSql, 'utf8'));
  await client.query('SET LOCAL search_path TO DEFAULT');
  await client.query(INSERT_VERSION, [projection.name, version, options.status, options.epoch]);
  await client.query(INSERT_CHECKPOINTS, [projection.name, version, PARTITION_GROUPS]);
  return { version, status: options.status, epoch: options.epoch };
}

async function dropVersion(
  client: ClientBase,
  projection: VersionedProjection,
  version: number,
): Promise<void> {
  await client.query(`DROP SCHEMA IF EXISTS ${schemaOf(projection.name, version)} CASCADE`);
  const parameters = [projection.name, version];
  await client.query('DELETE FROM projection_versions WHERE projection = $1 AND version = $2', parameters);
}

/** Points the views in `public` at a version: readers see the old one until the commit, the new one after it. */
async function showVersion(
  client: ClientBase,
  projection: VersionedProjection,
  version: number,
): Promise<void> {
  const schema = schemaOf(projection.name, version);
  for (const relation of projection.relations) {
    await client.query(`DROP VIEW IF EXISTS public.${relation}`);
    await client.query(`CREATE VIEW public.${relation} AS SELECT * FROM ${schema}.${relation}`);
  }
}

// Parameters: projection, version. Holds up whoever moves this checkpoint until the transaction ends.
const LOCK_CHECKPOINT = `
  SELECT seq FROM projection_checkpoints WHERE projection = $1 AND version = $2
  ORDER BY partition_group FOR UPDATE`;
// Parameters: projection, version, status.
const SET_STATUS = 'UPDATE projection_versions SET status = $3 WHERE projection = $1 AND version = $2';
// Parameters: projection. Whoever works on any version of it finds itself fenced and looks for the live one.
const FENCE_ALL = 'UPDATE projection_checkpoints SET owner_epoch = owner_epoch + 1 WHERE projection = $1';

/**
 * Makes a built version the live one, at one sequence and in one transaction. The live worker is held at its
 * checkpoint until the new version has passed it, which `reach` waits for.
 *
 * @param reach resolves once the building version's checkpoint is at least at this sequence
 */
export function switchVersion(
  pool: Pool,
  projection: VersionedProjection,
  to: Version,
  reach: (seq: number) => Promise<void>,
): Promise<void> {
  return inTransaction(pool, async (client) => {
    await client.query('SELECT pg_advisory_xact_lock($1)', [VERSIONS_LOCK]);
    const live = (await listVersions(client, projection.name)).find((version) => version.status === 'live');
    if (live !== undefined) {
      const { rows } = await client.query<{ seq: string }>(LOCK_CHECKPOINT, [projection.name, live.version]);
      // Of another epoch: its sequences mean nothing for this log.
      if (live.epoch === to.epoch) await reach(Math.max(...rows.map((row) => Number(row.seq))));
      await client.query(SET_STATUS, [projection.name, live.version, 'retired']);
    }
    await client.query(SET_STATUS, [projection.name, to.version, 'live']);
    await client.query(FENCE_ALL, [projection.name]);
    await showVersion(client, projection, to.version);
  });
}
