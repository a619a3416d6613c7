import type { Reads } from '../platform/postgres/database.ts';
import { type HeadKnowledge, lagOf } from './lag.ts';
import { projectionStatus } from './projectionStatus.ts';

/**
 * How old what the history of a database lacks is at most, in seconds; infinite before there is a history. Of a replica, that
 * is more than how far it is behind its primary: it includes the way from the log to the primary, and nobody but the
 * replica itself needs to answer.
 *
 * @throws ChatError database_unavailable
 */
export async function historyLagSeconds(
  database: Reads,
  head: HeadKnowledge,
  nowMs: number,
): Promise<number> {
  const versions = await projectionStatus(database);
  const live = versions.find(({ projection, status }) => projection === 'history' && status === 'live');
  return live === undefined ? Number.POSITIVE_INFINITY : lagOf(live.checkpoint, head, nowMs).seconds;
}
