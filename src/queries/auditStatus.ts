import { Prisma, type Reads } from '../platform/postgres/database.ts';

/** What the continuous comparison of log and history has found. */
export interface AuditStatus {
  /** Messages that the log has and the history has not, parked conversations left out. */
  readonly unaccounted: number;
  /** Conversations that differ in any way. */
  readonly conversations: number;
  /** End of the last pass over all conversations, in milliseconds since 1970; null before the first. */
  readonly lastPassAtMs: number | null;
}

const STATEMENT = Prisma.sql`
  SELECT coalesce(sum(greatest(0, in_log - in_read_model)), 0)::float8 AS unaccounted,
    count(*)::float8 AS conversations,
    (SELECT extract(epoch FROM last_pass_at) * 1000 FROM audit_progress WHERE read_model = 'history')::float8
      AS "lastPassAtMs"
  FROM audit_findings WHERE read_model = 'history'`;

/** @throws ChatError database_unavailable */
export async function auditStatus(database: Reads): Promise<AuditStatus> {
  const [row] = await database.ask('auditStatus', (prisma) => prisma.$queryRaw<AuditStatus[]>(STATEMENT));
  if (row === undefined) throw new Error('The statement of auditStatus gives exactly one row');
  return row;
}
