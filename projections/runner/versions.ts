import { readFile } from 'node:fs/promises';
import type { ClientBase, Pool } from 'pg';
import { PARTITION_GROUPS } from '../../src/contracts/events/subjects.ts';
import { inTransaction } from '../../src/platform/postgres/transaction.ts';
import { type Projection, schemaOf } from './projection.ts';
import type { Place, Version } from './store.ts';
import { LOCK_SHARES } from './storeStatements.ts';

/** What of a projection its versions are made from. */
export type VersionedProjection = Pick<Projection<never>, 'name' | 'format' | 'schemaSql' | 'relations'>;

/** Any fixed number: everybody who makes or switches versions holds this advisory lock. */
const VERSIONS_LOCK = 7_201_154_003;

// Parameters: projection.
const LIST =
  'SELECT version, status, epoch, format FROM projection_versions WHERE projection = $1 ORDER BY version';

export async function listVersions(client: ClientBase | Pool, projection: string): Promise<Version[]> {
  return (await client.query<Version>(LIST, [projection])).rows;
}

/** What is read; `null` when nothing was ever built. */
export async function liveVersion(client: ClientBase | Pool, projection: string): Promise<Version | null> {
  const versions = await listVersions(client, projection);
  return versions.find((version) => version.status === 'live') ?? null;
}

/** The live version; the very first one is made when there is none. */
export async function ensureLiveVersion(
  pool: Pool,
  projection: VersionedProjection,
  epoch: string,
): Promise<Version> {
  const known = await liveVersion(pool, projection.name);
  if (known !== null) return known;
  return inTransaction(pool, async (client) => {
    await client.query('SELECT pg_advisory_xact_lock($1)', [VERSIONS_LOCK]);
    const live = await liveVersion(client, projection.name);
    if (live !== null) return live;
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
    const resumable = versions.find(
      ({ status, epoch: builtFrom, format }) =>
        status === 'building' && builtFrom === epoch && format === projection.format,
    );
    for (const { version, status } of versions) {
      if (status !== 'live' && version !== resumable?.version) await dropVersion(client, projection, version);
    }
    return resumable ?? createVersion(client, projection, { epoch, status: 'building' });
  });
}

// Parameters: projection, version, status, epoch, format.
const INSERT_VERSION =
  'INSERT INTO projection_versions (projection, version, status, epoch, format) VALUES ($1, $2, $3, $4, $5)';
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
  const { status, epoch } = options;
  await client.query(INSERT_VERSION, [projection.name, version, status, epoch, projection.format]);
  await client.query(INSERT_CHECKPOINTS, [projection.name, version, PARTITION_GROUPS]);
  return { version, status, epoch, format: projection.format };
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

/** Where each group of a version is. */
export async function readPlaces(
  client: ClientBase | Pool,
  projection: string,
  version: number,
  lock: '' | 'FOR UPDATE' = '',
): Promise<Map<number, Place>> {
  const { rows } = await client.query<PlaceRow>(`${PLACES} ${lock}`, [projection, version]);
  return new Map(
    rows.map(({ partition_group: group, seq, stored_at: storedAt, fingerprint }) => [
      group,
      { seq: Number(seq), storedAtMs: storedAt?.getTime() ?? 0, fingerprint },
    ]),
  );
}

interface PlaceRow {
  readonly partition_group: number;
  readonly seq: string;
  readonly stored_at: Date | null;
  readonly fingerprint: string | null;
}

// Parameters: projection, version.
const PLACES = `
  SELECT partition_group, seq, stored_at, fingerprint FROM projection_checkpoints
  WHERE projection = $1 AND version = $2 ORDER BY partition_group`;

// Parameters: projection, version.
const SET_LIVE = `UPDATE projection_versions SET status = 'live' WHERE projection = $1 AND version = $2`;
// Parameters: projection, version.
const RETIRE = `
  UPDATE projection_versions SET status = 'retired', retired_at = now() WHERE projection = $1 AND version = $2`;
// Parameters: projection. Whoever works on any version of it finds itself fenced and looks for the live one.
const FENCE_ALL = `
  UPDATE projection_checkpoints SET owner_epoch = owner_epoch + 1, owner = NULL, lease_until = NULL
  WHERE projection = $1`;

// Parameters: projection. Whoever halted looks again.
const WAKE_HALTED = `
  INSERT INTO projection_controls AS c (projection, paused, resumes) VALUES ($1, false, 1)
  ON CONFLICT (projection) DO UPDATE SET resumes = c.resumes + 1`;

/**
 * Makes a built version the live one, at one sequence of each group and in one transaction. The workers of the live one
 * are held at their checkpoints until the new version stands where they do, which `reach` waits for.
 *
 * @param reach brings the new version to these places and no further, and has the last word: when it throws, nothing is
 *   switched
 */
export function switchVersion(
  pool: Pool,
  projection: VersionedProjection,
  to: Version,
  reach: (places: ReadonlyMap<number, Place>, client: ClientBase) => Promise<void>,
): Promise<void> {
  return inTransaction(pool, async (client) => {
    // While the new version reaches the place of the switch, this transaction has nothing to say.
    await client.query(`SET LOCAL idle_in_transaction_session_timeout TO ${SWITCH_IDLE_MS_MAX}`);
    // Nobody shares out groups meanwhile: that would wait for the checkpoints held here, and hold others.
    await client.query(LOCK_SHARES, [projection.name]);
    await client.query('SELECT pg_advisory_xact_lock($1)', [VERSIONS_LOCK]);
    const live = await liveVersion(client, projection.name);
    // Of another epoch: its sequences mean nothing for this log.
    const comparable = live !== null && live.epoch === to.epoch;
    const places = comparable
      ? await readPlaces(client, projection.name, live.version, 'FOR UPDATE')
      : new Map<number, Place>();
    await reach(places, client);
    if (live !== null) await client.query(RETIRE, [projection.name, live.version]);
    await client.query(SET_LIVE, [projection.name, to.version]);
    await client.query(FENCE_ALL, [projection.name]);
    await client.query(WAKE_HALTED, [projection.name]);
    await showVersion(client, projection, to.version);
  });
}

const SWITCH_IDLE_MS_MAX = 60_000;

/** Throws away a version that was built and is not to be switched to. */
export function discardVersion(
  pool: Pool,
  projection: VersionedProjection,
  { version }: Version,
): Promise<void> {
  return inTransaction(pool, async (client) => {
    await client.query('SELECT pg_advisory_xact_lock($1)', [VERSIONS_LOCK]);
    const versions = await listVersions(client, projection.name);
    const isBuilding = versions.some((known) => known.version === version && known.status === 'building');
    if (isBuilding) await dropVersion(client, projection, version);
  });
}

// Parameters: projection, age of what was replaced, and of what nobody goes on with, in milliseconds.
const LEFT_OVER = `
  SELECT v.version FROM projection_versions v
  WHERE v.projection = $1 AND CASE v.status
    WHEN 'retired' THEN v.retired_at < now() - $2::float8 * interval '1 ms'
    WHEN 'building' THEN v.created_at < now() - $3::float8 * interval '1 ms' AND NOT EXISTS (
      SELECT FROM projection_checkpoints c WHERE c.projection = v.projection AND c.version = v.version
        AND greatest(c.updated_at, c.lease_until) > now() - $3::float8 * interval '1 ms')
    ELSE false END`;

/** A rebuild that nobody goes on with for so long was given up, in milliseconds. */
const ABANDONED_MS = 86_400_000;

/** Drops what was replaced at least so long ago, and rebuilds that were given up. @returns the versions that were dropped */
export function dropLeftOver(
  pool: Pool,
  projection: VersionedProjection,
  olderThanMs: number,
): Promise<number[]> {
  return inTransaction(pool, async (client) => {
    await client.query('SELECT pg_advisory_xact_lock($1)', [VERSIONS_LOCK]);
    const { rows } = await client.query<{ version: number }>(LEFT_OVER, [
      projection.name,
      olderThanMs,
      ABANDONED_MS,
    ]);
    for (const { version } of rows) await dropVersion(client, projection, version);
    return rows.map(({ version }) => version);
  });
}

// Parameters: projection, version, sequence. So that the first event to be projected is the one after it.
const SET_PLACE = 'UPDATE projection_checkpoints SET seq = $3 WHERE projection = $1 AND version = $2';

/**
 * Fills a new, empty version with a copy of another one and takes it back to the sequence before `from`.
 *
 * @param statements of the projection's `rewindSql`
 */
export function copyVersion(
  pool: Pool,
  projection: VersionedProjection,
  copy: { source: number; target: number; from: number; statements: readonly string[] },
): Promise<void> {
  const begin = 'BEGIN ISOLATION LEVEL REPEATABLE READ';
  const work = async (client: ClientBase) => {
    const [source, target] = [schemaOf(projection.name, copy.source), schemaOf(projection.name, copy.target)];
    for (const relation of projection.relations) {
      await client.query(`INSERT INTO ${target}.${relation} SELECT * FROM ${source}.${relation}`);
    }
    for (const statement of copy.statements) await client.query(statement, [copy.from]);
    await client.query(SET_PLACE, [projection.name, copy.target, copy.from - 1]);
  };
  return inTransaction(pool, work, begin);
}
