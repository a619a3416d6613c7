import type { Pool, PoolClient } from 'pg';
import { inTransaction, rolledBack } from '../../src/platform/postgres/transaction.ts';
import { noteLog, type SeenLog } from './control/logLineage.ts';
import * as sql from './control/storeStatements.ts';
import { BATCH_SAVEPOINT, type Projection, schemaOf } from './projection.ts';
import { rebalance } from './rebalance.ts';
import {
  type Assignment,
  type Checkpoint,
  type Claim,
  FencedError,
  type GroupCommit,
  HaltError,
  type ParkedConversation,
  PoisonError,
  type ProjectionStore,
  type Version,
  type WorkerReport,
} from './store.ts';
import { ensureLiveVersion } from './versions.ts';

export interface PostgresStoreOptions<Changes> {
  readonly projection: Projection<Changes>;
  readonly pool: Pool;
  /** Names this worker among all: `host:pid:random`. */
  readonly worker: string;
  /** The version to build, all groups of it; absent: a share of the live one, whichever that is. */
  readonly version?: Version;
  /** How long a worker that says nothing keeps its groups, in milliseconds. Default 6,000. */
  readonly leaseMs?: number;
}

/**
 * Checkpoints, leases and rows in Postgres.
 *
 * Its clock decides about leases, so the clocks of the workers do not matter. A lease only says when others may try; what
 * keeps a replaced worker from writing is the owner epoch, which every claim raises.
 */
export class PostgresStore<Changes> implements ProjectionStore<Changes> {
  readonly #options: PostgresStoreOptions<Changes>;
  readonly #leaseMs: number;
  /** The log whose lineage is kept already. */
  #noted: SeenLog | null = null;

  constructor(options: PostgresStoreOptions<Changes>) {
    this.#options = options;
    this.#leaseMs = options.leaseMs ?? 6_000;
  }

  async heartbeat(log: SeenLog, report: WorkerReport): Promise<Assignment> {
    const version = await this.#version(log);
    return this.#transaction(async (client) => {
      await client.query(sql.LOCK_REBALANCE, [this.#rebalanceLock]);
      const { paused, resumes } = await this.#report(client, report);
      // Of an older format: its successor is being built, and then that one is the live version.
      if (version === null) return { paused, resumes, claims: [] };
      // What is built beside the live version is not paused with it.
      if (paused && this.#options.version === undefined) {
        await client.query(sql.RELEASE_ALL, [this.#name, this.#worker]);
        return { paused, resumes, claims: [] };
      }
      await this.#rebalance(client, version);
      return { paused: false, resumes, claims: await this.#claims(client, version) };
    });
  }

  standBy(report: WorkerReport): Promise<Pick<Assignment, 'resumes'>> {
    return this.#transaction(async (client) => {
      const { resumes } = await this.#report(client, report);
      await client.query(sql.RELEASE_ALL, [this.#name, this.#worker]);
      return { resumes };
    });
  }

  async leave(): Promise<void> {
    await this.#options.pool.query(sql.RELEASE_ALL, [this.#name, this.#worker]);
    await this.#options.pool.query(sql.LEAVE, [this.#name, this.#worker]);
  }

  async commit(claim: Claim, commit: GroupCommit<Changes>, onSent: () => void = () => {}): Promise<void> {
    const work = async (client: PoolClient) => {
      if (commit.changes !== null) await this.#write(client, claim, commit.changes, onSent);
      await this.#move(client, claim, commit.to);
      await this.#park(client, claim, commit);
    };
    await writing(() => inTransaction(this.#options.pool, work, BEGIN_BATCH));
  }

  async advance(claim: Claim, to: Checkpoint): Promise<void> {
    await this.#move(this.#options.pool, claim, to);
  }

  async probe(claim: Claim, changes: Changes): Promise<string | null> {
    const work = (client: PoolClient) => this.#write(client, claim, changes, () => {});
    try {
      await writing(() => rolledBack(this.#options.pool, work, BEGIN_BATCH));
      return null;
    } catch (error) {
      if (error instanceof PoisonError) return error.message;
      throw error;
    }
  }

  #write(client: PoolClient, { version }: Claim, changes: Changes, onSent: () => void): Promise<void> {
    const { projection } = this.#options;
    const written = projection.write(client, schemaOf(projection.name, version.version), changes);
    // The first statement is on its way: the next events may arrive while Postgres writes these.
    onSent();
    return written;
  }

  async #move(client: Pick<Pool, 'query'>, claim: Claim, to: Checkpoint | null): Promise<void> {
    const held = [this.#name, claim.version.version, claim.group, claim.ownerEpoch, claim.seq];
    const result =
      to === null
        ? await client.query(sql.HOLD, held)
        : await client.query(sql.ADVANCE, [...held, to.seq, new Date(to.storedAtMs), to.fingerprint]);
    if (result.rowCount === 1) return;
    const which = `group ${claim.group} of ${this.#name} version ${claim.version.version}`;
    throw new FencedError(`The checkpoint ${claim.seq} of ${which} was taken over by another worker.`);
  }

  async #park(client: PoolClient, claim: Claim, { park, unpark }: GroupCommit<Changes>): Promise<void> {
    const version = [this.#name, claim.version.version];
    if (unpark.length > 0) await client.query(sql.UNPARK, [...version, unpark]);
    if (park.length === 0) return;
    await client.query(sql.PARK, [
      ...version,
      claim.group,
      park.map(({ conversationId }) => conversationId),
      park.map(({ seq }) => seq),
      park.map(({ error }) => error.replaceAll('\0', '').slice(0, ERROR_LENGTH_MAX)),
      park.map(({ attempts }) => attempts),
      park.map(({ retryRequested }) => retryRequested),
    ]);
  }

  /** @returns null when the live version's tables are of an older format than this code writes */
  async #version(log: SeenLog): Promise<Version | null> {
    const { projection, pool, version } = this.#options;
    if (this.#noted !== log) await noteLog(pool, log);
    this.#noted = log;
    const found = version ?? (await ensureLiveVersion(pool, projection, log));
    if (found.format === projection.format) return found;
    if (found.format < projection.format) return null;
    throw new HaltError(
      `Read model ${projection.name} version ${found.version} has format ${found.format}, this code writes format ` +
        `${projection.format}. It was made by a newer version of chat-backend: run that one.`,
    );
  }

  async #report(client: PoolClient, { state, reason }: WorkerReport) {
    const version = this.#options.version?.version ?? null;
    const values = [this.#name, this.#worker, version, state, reason, this.#leaseMs];
    await client.query(sql.REPORT, values);
    await client.query(sql.FORGET_WORKERS, [this.#name]);
    const { rows } = await client.query<{ paused: boolean; resumes: number }>(sql.CONTROLS, [this.#name]);
    return rows[0] ?? { paused: false, resumes: 0 };
  }

  async #rebalance(client: PoolClient, { version }: Version): Promise<void> {
    const leases = (await client.query<LeaseRow>(sql.LEASES, [this.#name, version])).rows;
    const groups = leases.map(({ partition_group, owner, leased }) => ({
      group: partition_group,
      owner,
      leased,
    }));
    const { claim, release } = rebalance(groups, await this.#workers(client), this.#worker);
    if (release.length > 0) {
      await client.query(sql.RELEASE, [this.#name, version, release, this.#worker]);
    }
    if (claim.length > 0) {
      await client.query(sql.CLAIM, [this.#name, version, claim, this.#worker, this.#leaseMs]);
    }
  }

  async #workers(client: PoolClient): Promise<string[]> {
    const version = this.#options.version?.version ?? null;
    const { rows } = await client.query<{ worker: string }>(sql.ALIVE_WORKERS, [this.#name, version]);
    return [...new Set([this.#worker, ...rows.map(({ worker }) => worker)])];
  }

  async #claims(client: PoolClient, version: Version): Promise<Claim[]> {
    const renewed = [this.#name, version.version, this.#worker, this.#leaseMs];
    const claims = (await client.query<ClaimRow>(sql.RENEW, renewed)).rows;
    const groups = claims.map(({ partition_group }) => partition_group);
    const parked = (await client.query<ParkedRow>(sql.PARKED, [this.#name, version.version, groups])).rows;
    return claims.map((row) => ({
      version,
      group: row.partition_group,
      ownerEpoch: Number(row.owner_epoch),
      seq: Number(row.seq),
      fingerprint: row.fingerprint,
      parked: parked.filter(({ partition_group }) => partition_group === row.partition_group).map(toParked),
    }));
  }

  #transaction<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    return inTransaction(this.#options.pool, work);
  }

  /** A version beside the live one is rebalanced by itself: a switch holds up only the workers of the live one. */
  get #rebalanceLock(): string {
    const { version } = this.#options;
    return version === undefined ? this.#name : schemaOf(this.#name, version.version);
  }

  get #name(): string {
    return this.#options.projection.name;
  }

  get #worker(): string {
    return this.#options.worker;
  }
}

interface LeaseRow {
  readonly partition_group: number;
  readonly owner: string | null;
  readonly leased: boolean;
}

interface ClaimRow {
  readonly partition_group: number;
  readonly owner_epoch: string;
  readonly seq: string;
  readonly fingerprint: string | null;
}

interface ParkedRow {
  readonly partition_group: number;
  readonly conversation_id: string;
  readonly seq: string;
  readonly error: string;
  readonly attempts: number;
  readonly retry_requested: boolean;
}

function toParked(row: ParkedRow): ParkedConversation {
  const { conversation_id: conversationId, error, attempts, retry_requested: retryRequested } = row;
  return { conversationId, seq: Number(row.seq), error, attempts, retryRequested };
}

/** A reason is for people: the beginning says it. */
const ERROR_LENGTH_MAX = 2_000;

/**
 * Begins a batch's transaction. It must be on disk before it counts as done, whatever the server's default is. And a
 * batch is small against its tables, which the planner cannot know of tables that grow from nothing: without these
 * settings it reads them whole for every batch, instead of finding each row by its index.
 */
const BEGIN_BATCH = `
  BEGIN; SET LOCAL synchronous_commit TO on; SET LOCAL enable_seqscan TO off;
  SET LOCAL enable_hashjoin TO off; SET LOCAL enable_mergejoin TO off; SAVEPOINT ${BATCH_SAVEPOINT}`;

/** @throws PoisonError for what Postgres would refuse in the same way every time */
async function writing(transaction: () => Promise<void>): Promise<void> {
  try {
    await transaction();
  } catch (error) {
    if (error instanceof Error && isDataError(error)) throw new PoisonError(error.message, { cause: error });
    throw error;
  }
}

/**
 * Classes 22 (data exception) and 23 (integrity violation): the same rows fail in the same way every time. So do rows
 * too large for an index (54000, program limit exceeded). Source: PostgreSQL manual, appendix A.
 */
function isDataError(error: Error): boolean {
  return 'code' in error && typeof error.code === 'string' && /^(2[23]|54)/.test(error.code);
}
