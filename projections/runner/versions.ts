import { readFile } from 'node:fs/promises';
import type { ClientBase, Pool } from 'pg';
import { PARTITION_GROUPS } from '../../src/contracts/events/subjects.ts';
import { inTransaction, rolledBack } from '../../src/platform/postgres/transaction.ts';
import { fenceProjection, readCheckpoints } from './control/checkpoints.ts';
import { noteLog, type SeenLog } from './control/logLineage.ts';
import { wakeHalted } from './control/pause.ts';
import { LOCK_REBALANCE } from './control/storeStatements.ts';
import * as sql from './control/versionStatements.ts';
import { type Projection, schemaOf } from './projection.ts';
import type { Checkpoint, Version } from './store.ts';

/** What of a projection its versions are made from. */
export type VersionedProjection = Pick<Projection<never>, 'name' | 'format' | 'schemaSql' | 'relations'>;

export async function listVersions(client: ClientBase | Pool, projection: string): Promise<Version[]> {
  return (await client.query<Version>(sql.LIST, [projection])).rows;
}

/** What is read; `null` when nothing was ever built. */
export async function liveVersion(client: ClientBase | Pool, projection: string): Promise<Version | null> {
  const versions = await listVersions(client, projection);
  return versions.find((version) => version.status === 'live') ?? null;
}

/**
 * The live version; the very first one is made when there is none. One that has read nothing yet goes on with whatever log
 * there is: a power cut during the first start can leave it behind without the log that it was made for.
 */
export async function ensureLiveVersion(
  pool: Pool,
  projection: VersionedProjection,
  log: SeenLog,
): Promise<Version> {
  const known = await liveVersion(pool, projection.name);
  if (known?.epoch === log.epoch) return known;
  return inTransaction(pool, async (client) => {
    await client.query(sql.LOCK_VERSIONS);
    const live = await liveVersion(client, projection.name);
    if (live !== null) {
      await client.query(sql.ADOPT_LOG, [projection.name, live.version, log.epoch]);
      return (await liveVersion(client, projection.name)) ?? live;
    }
    const version = await createVersion(client, projection, { log, status: 'live' });
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
  log: SeenLog,
): Promise<Version> {
  return inTransaction(pool, async (client) => {
    await client.query(sql.LOCK_VERSIONS);
    const versions = await listVersions(client, projection.name);
    const resumable = versions.find(
      ({ status, epoch: builtFrom, format }) =>
        status === 'building' && builtFrom === log.epoch && format === projection.format,
    );
    for (const { version, status } of versions) {
      if (status !== 'live' && version !== resumable?.version) await dropVersion(client, projection, version);
    }
    return resumable ?? createVersion(client, projection, { log, status: 'building' });
  });
}

async function createVersion(
  client: ClientBase,
  projection: VersionedProjection,
  options: { log: SeenLog; status: 'building' | 'live' },
): Promise<Version> {
  const versions = await listVersions(client, projection.name);
  const version = Math.max(0, ...versions.map((known) => known.version)) + 1;
  const schema = schemaOf(projection.name, version);
  await client.query(`CREATE SCHEMA ${schema}`);
  await client.query(`SET LOCAL search_path TO ${schema}`);
  await client.query(await readFile(projection.schemaSql, 'utf8'));
  await client.query('SET LOCAL search_path TO DEFAULT');
  const { status, log } = options;
  await noteLog(client, log);
  await client.query(sql.INSERT_VERSION, [projection.name, version, status, log.epoch, projection.format]);
  await client.query(sql.INSERT_CHECKPOINTS, [projection.name, version, PARTITION_GROUPS]);
  const made = (await listVersions(client, projection.name)).find((known) => known.version === version);
  if (made === undefined) throw new Error('A version that was made is listed');
  return made;
}

async function dropVersion(
  client: ClientBase,
  projection: VersionedProjection,
  version: number,
): Promise<void> {
  await client.query(`DROP SCHEMA IF EXISTS ${schemaOf(projection.name, version)} CASCADE`);
  await client.query(sql.DELETE_VERSION, [projection.name, version]);
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

export interface VersionSwitch {
  readonly to: Version;
  /**
   * Brings the new version to these checkpoints and no further, and has the last word: when it throws, nothing is
   * switched.
   */
  readonly reach: (checkpoints: ReadonlyMap<number, Checkpoint>, client: ClientBase) => Promise<void>;
  /** Come to the point of the switch, and undo it. */
  readonly dryRun: boolean;
}

/**
 * Makes a built version the live one, at one sequence of each group and in one transaction. The workers of the live one
 * are held at their checkpoints until the new version has reached them.
 */
export function switchVersion(
  pool: Pool,
  projection: VersionedProjection,
  { to, reach, dryRun }: VersionSwitch,
): Promise<void> {
  const transact = dryRun ? rolledBack : inTransaction;
  return transact(pool, async (client) => {
    // This transaction waits without a word while the new version reaches the checkpoints.
    await client.query(`SET LOCAL idle_in_transaction_session_timeout TO ${SWITCH_IDLE_MS_MAX}`);
    // A heartbeat meanwhile would wait for the checkpoints held here, and hold others.
    await client.query(LOCK_REBALANCE, [projection.name]);
    await client.query(sql.LOCK_VERSIONS);
    const live = await liveVersion(client, projection.name);
    // Of another epoch: its sequences mean nothing for this log.
    const comparable = live !== null && live.epoch === to.epoch;
    const checkpoints = comparable
      ? await readCheckpoints(client, projection.name, live.version, 'FOR UPDATE')
      : new Map<number, Checkpoint>();
    await reach(checkpoints, client);
    if (!dryRun) await replaceLive(client, projection, { live, to });
  });
}

async function replaceLive(
  client: ClientBase,
  projection: VersionedProjection,
  { live, to }: { live: Version | null; to: Version },
): Promise<void> {
  if (live !== null) await client.query(sql.RETIRE, [projection.name, live.version]);
  await client.query(sql.SET_LIVE, [projection.name, to.version]);
  await fenceProjection(client, projection.name);
  await wakeHalted(client, projection.name);
  await showVersion(client, projection, to.version);
}

const SWITCH_IDLE_MS_MAX = 60_000;

/** Throws away a version that was built and is not to be switched to. */
export function discardVersion(
  pool: Pool,
  projection: VersionedProjection,
  { version }: Version,
): Promise<void> {
  return inTransaction(pool, async (client) => {
    await client.query(sql.LOCK_VERSIONS);
    const versions = await listVersions(client, projection.name);
    const isBuilding = versions.some((known) => known.version === version && known.status === 'building');
    if (isBuilding) await dropVersion(client, projection, version);
  });
}

/** How long a rebuild that nobody goes on with is kept, in milliseconds. */
const ABANDONED_MS = 86_400_000;

/** Drops versions that were replaced at least `olderThanMs` ago, and abandoned rebuilds. @returns those that were dropped */
export function dropLeftOver(
  pool: Pool,
  projection: VersionedProjection,
  olderThanMs: number,
): Promise<number[]> {
  return inTransaction(pool, async (client) => {
    await client.query(sql.LOCK_VERSIONS);
    const { rows } = await client.query<{ version: number }>(sql.LEFT_OVER, [
      projection.name,
      olderThanMs,
      ABANDONED_MS,
    ]);
    for (const { version } of rows) await dropVersion(client, projection, version);
    return rows.map(({ version }) => version);
  });
}

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
    await client.query(sql.SET_CHECKPOINTS, [projection.name, copy.target, copy.from - 1]);
  };
  return inTransaction(pool, work, begin);
}
