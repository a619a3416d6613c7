import type { Pool } from 'pg';

/** A conversation of which an event could not be projected: it and everything after it waits in the log. */
export interface ParkedRow {
  readonly projection: string;
  readonly conversationId: string;
  /** The event to go on with. */
  readonly seq: number;
  readonly error: string;
  readonly attempts: number;
  readonly parkedAt: Date;
  /** Whether it is to be tried again, which a worker does within two seconds. */
  readonly retryRequested: boolean;
}

/** Of parked conversations `p`, those of the versions that are read. */
const LIVE = `projection_versions v ON v.projection = p.projection AND v.version = p.version AND v.status = 'live'`;

/**
 * A condition in SQL: the conversation is parked in the live version of the projection.
 *
 * @param conversation an SQL expression
 */
export function isParkedSql(projection: string, conversation: string): string {
  return `EXISTS (
      SELECT FROM parked_conversations p JOIN ${LIVE}
      WHERE p.projection = '${projection}' AND p.conversation_id = ${conversation})`;
}

/** Parameters: projection or null, conversation or null, how many at most. */
const SELECT = `
  SELECT p.projection, p.conversation_id, p.seq, p.error, p.attempts, p.parked_at, p.retry_requested_at
  FROM parked_conversations p JOIN ${LIVE}
  WHERE ($1::text IS NULL OR p.projection = $1) AND ($2::text IS NULL OR p.conversation_id = $2)
  ORDER BY p.projection, p.parked_at, p.conversation_id LIMIT $3`;

/** Parameters: projection or null, conversation or null. */
const REQUEST_RETRY = `
  UPDATE parked_conversations p SET retry_requested_at = now()
  FROM projection_versions v
  WHERE v.projection = p.projection AND v.version = p.version AND v.status = 'live'
    AND ($1::text IS NULL OR p.projection = $1) AND ($2::text IS NULL OR p.conversation_id = $2)
  RETURNING p.projection, p.conversation_id, p.seq, p.error, p.attempts, p.parked_at, p.retry_requested_at`;

/** Which of them. Absent: all. */
export interface ParkedChoice {
  readonly projection?: string | undefined;
  readonly conversationId?: string | undefined;
}

/** More than there can be, by `PARKED_MAX` of each group. */
const ROWS_MAX = 10_000;

/** Those of the versions that are read. */
export async function listParked(pool: Pool, choice: ParkedChoice = {}): Promise<ParkedRow[]> {
  const values = [choice.projection ?? null, choice.conversationId ?? null, ROWS_MAX];
  return (await pool.query<Row>(SELECT, values)).rows.map(toParked);
}

/** Has them tried again. @returns those that are */
export async function requestRetry(pool: Pool, choice: ParkedChoice): Promise<ParkedRow[]> {
  const values = [choice.projection ?? null, choice.conversationId ?? null];
  return (await pool.query<Row>(REQUEST_RETRY, values)).rows.map(toParked);
}

interface Row {
  readonly projection: string;
  readonly conversation_id: string;
  readonly seq: string;
  readonly error: string;
  readonly attempts: number;
  readonly parked_at: Date;
  readonly retry_requested_at: Date | null;
}

function toParked(row: Row): ParkedRow {
  const { projection, conversation_id: conversationId, seq, error, attempts, parked_at: parkedAt } = row;
  const retryRequested = row.retry_requested_at !== null;
  return { projection, conversationId, seq: Number(seq), error, attempts, parkedAt, retryRequested };
}
