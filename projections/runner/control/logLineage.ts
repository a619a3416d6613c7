import type { ClientBase, Pool } from 'pg';
import { type EventMark, firstEventsOf } from '../../../src/platform/log/logContinuity.ts';
import type { EventLog } from '../../../src/ports/eventLog.ts';

/** A log as it says itself that it is, with its first events. */
export interface SeenLog {
  readonly epoch: string;
  readonly logId: string;
  readonly previousEpoch: string | null;
  readonly firstEvents: readonly EventMark[];
}

/** @throws whatever the log throws when it cannot be read */
export async function seeLog(log: Pick<EventLog, 'at' | 'status'>): Promise<SeenLog> {
  const { epoch, logId, previousEpoch, firstSeq, lastSeq } = await log.status();
  return { epoch, logId, previousEpoch, firstEvents: await firstEventsOf(log, { firstSeq, lastSeq }) };
}

// Parameters: epoch, identity of the log, first events.
const NOTE = `
  INSERT INTO log_epochs AS known (epoch, log_id, first_events) VALUES ($1, $2, $3)
  ON CONFLICT (epoch) DO UPDATE SET first_events = excluded.first_events WHERE known.first_events = '[]'`;

/**
 * Keeps the log's epoch, and the one before, where a power cut of the log's disk does not reach. Comes before anything is
 * built under that epoch. What is known of an epoch already stays: the log may have lost it since.
 */
export async function noteLog(
  client: ClientBase | Pool,
  { epoch, logId, previousEpoch, firstEvents }: SeenLog,
): Promise<void> {
  const marks = JSON.stringify(firstEvents);
  if (previousEpoch !== null) await client.query(NOTE, [previousEpoch, logId, marks]);
  await client.query(NOTE, [epoch, logId, marks]);
}

/**
 * What is known of the log that a version `v` was built from, as columns. A version of before the lineage was kept has its
 * epoch for the log's identity.
 */
export const LINEAGE_COLUMNS = `
  v.epoch, coalesce(e.log_id, v.epoch) AS "logId", coalesce(e.first_events, '[]') AS "firstEvents",
  ARRAY(SELECT o.epoch FROM log_epochs o WHERE o.log_id = e.log_id AND o.ordinal < e.ordinal) AS "olderEpochs"`;

/** Joins it, as {@link LINEAGE_COLUMNS} wants it. */
export const LINEAGE_JOIN = 'LEFT JOIN log_epochs e ON e.epoch = v.epoch';
