import { type Database, Prisma } from '../platform/database.ts';
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
  readonly groups: readonly { readonly group: number; readonly seq: number }[];
}

interface Row {
  readonly projection: string;
  readonly version: number;
  readonly status: string;
  readonly epoch: string;
  readonly partition_group: number | null;
  readonly seq: bigint | null;
  readonly stored_at_ms: number | null;
}

/** Every version that is not retired with its groups' checkpoints; at most a handful of versions of 64 groups. */
const STATEMENT = Prisma.sql`
  SELECT v.projection, v.version, v.status, v.epoch, c.partition_group, c.seq,
    (extract(epoch FROM coalesce(c.stored_at, c.updated_at)) * 1000)::float8 AS stored_at_ms
  FROM projection_versions v LEFT JOIN projection_checkpoints c USING (projection, version)
  WHERE v.status <> 'retired'
  ORDER BY v.projection, v.version, c.seq, c.partition_group
  LIMIT 1000`;

/**
 * Which versions of the read models there are and how far each is.
 *
 * @throws ChatError database_unavailable
 */
export async function projectionStatus(database: Database): Promise<ProjectionStatus[]> {
  const rows = await database.ask((prisma) => prisma.$queryRaw<Row[]>(STATEMENT));
  const versions = new Map<string, Row[]>();
  for (const row of rows) {
    const key = `${row.projection}/${row.version}`;
    versions.set(key, [...(versions.get(key) ?? []), row]);
  }
  return [...versions.values()].map(toStatus);
}

/** @param rows of one version, the one with the lowest checkpoint first, as the statement sorts them */
function toStatus(rows: readonly Row[]): ProjectionStatus {
  const [lowest] = rows;
  if (lowest === undefined) throw new Error('A version is made of at least one row');
  const { projection, version, status, epoch, seq, stored_at_ms: storedAtMs } = lowest;
  const checkpoint = seq === null || storedAtMs === null ? null : { seq: Number(seq), storedAtMs };
  const groups = rows.flatMap((row) =>
    row.partition_group === null || row.seq === null
      ? []
      : [{ group: row.partition_group, seq: Number(row.seq) }],
  );
  return { projection, version, status, epoch, checkpoint, groups };
}
