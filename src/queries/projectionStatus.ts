import { Prisma, type Reads } from '../platform/postgres/database.ts';
import type { Checkpoint } from './lag.ts';

/** One version of one read model, as Postgres knows it. */
export interface ProjectionStatus {
  readonly projection: string;
  readonly version: number;
  /** `building`: beside the live one; `live`: what is read. */
  readonly status: string;
  /** Epoch of the log it is built from. */
  readonly epoch: string;
  /** The lowest over its groups; null when no group has one yet. */
  readonly checkpoint: Checkpoint | null;
  readonly groups: readonly GroupStatus[];
  /** Paused by an operator. Concerns the live version only. */
  readonly paused: boolean;
  /** Conversations with an event that could not be projected; their later events wait. */
  readonly parkedConversations: number;
  /** Workers that work on it or stand by, as of the last seconds. */
  readonly workers: readonly WorkerStatus[];
}

export interface GroupStatus {
  readonly group: number;
  readonly seq: number;
  /** The worker that holds it; null when none does, or its lease has run out. */
  readonly owner: string | null;
}

export interface WorkerStatus {
  /** `host:pid:random` */
  readonly worker: string;
  /** See `projections/runner/states.ts`. */
  readonly state: string;
  /** Why it is in that state, where the state alone does not say. */
  readonly reason: string | null;
}

/**
 * Every version that is not retired: at most a handful of versions of 64 groups. Built as JSON by Postgres, so that
 * all is of one moment.
 */
const STATEMENT = Prisma.sql`
  SELECT v.projection, v.version, v.status, v.epoch,
    v.status = 'live' AND coalesce(k.paused, false) AS paused,
    (SELECT count(*)::int FROM parked_conversations p
     WHERE p.projection = v.projection AND p.version = v.version) AS parked,
    (SELECT coalesce(json_agg(json_build_object(
        'group', c.partition_group, 'seq', c.seq, 'owner', CASE WHEN c.lease_until > now() THEN c.owner END,
        'storedAtMs', (extract(epoch FROM coalesce(c.stored_at, c.updated_at)) * 1000)::float8
      ) ORDER BY c.seq, c.partition_group), '[]')
     FROM projection_checkpoints c WHERE c.projection = v.projection AND c.version = v.version) AS groups,
    (SELECT coalesce(json_agg(json_build_object('worker', w.worker, 'state', w.state, 'reason', w.reason)
        ORDER BY w.worker), '[]')
     FROM projection_workers w
     WHERE w.projection = v.projection AND w.seen_until > now()
       AND coalesce(w.version = v.version, v.status = 'live')) AS workers
  FROM projection_versions v LEFT JOIN projection_controls k USING (projection)
  WHERE v.status <> 'retired'
  ORDER BY v.projection, v.version
  LIMIT 100`;

interface Row {
  readonly projection: string;
  readonly version: number;
  readonly status: string;
  readonly epoch: string;
  readonly paused: boolean;
  readonly parked: number;
  readonly groups: readonly (GroupStatus & { readonly storedAtMs: number })[];
  readonly workers: readonly WorkerStatus[];
}

/**
 * The versions of the read models, their checkpoints, and the workers on them.
 *
 * @throws ChatError database_unavailable
 */
export async function projectionStatus(database: Reads): Promise<ProjectionStatus[]> {
  const rows = await database.ask('projectionStatus', (prisma) => prisma.$queryRaw<Row[]>(STATEMENT));
  return rows.map(({ parked, groups, ...row }) => {
    const [lowest] = groups;
    return {
      ...row,
      parkedConversations: parked,
      checkpoint: lowest === undefined ? null : { seq: lowest.seq, storedAtMs: lowest.storedAtMs },
      groups: groups.map(({ group, seq, owner }) => ({ group, seq, owner })),
    };
  });
}
