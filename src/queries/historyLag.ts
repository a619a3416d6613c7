import type { Reads } from '../platform/postgres/database.ts';
import { type HeadKnowledge, lagOf } from './lag.ts';
import { projectionStatus } from './projectionStatus.ts';

/**
 * Upper bound for the age of the oldest event that a database's history misses, in seconds; infinite before there is a
 * history. For a replica it includes the way from the log to the primary, and only the replica itself has to answer. While the
 * log is silent, a replica that has all that is known of counts as up to date: a stale answer is better than none.
 *
 * @throws ChatError database_unavailable
 */
export async function historyLagSeconds(
  database: Reads,
  head: HeadKnowledge,
  nowMs: number,
): Promise<number> {
  const versions = await projectionStatus(database);
  const known: HeadKnowledge = {
    lastSeq: () => head.lastSeq(),
    notBeyondAtMs: (seq) => head.notBeyondAtMs(seq),
    isFresh: () => true,
  };
  const live = versions.find(({ projection, status }) => projection === 'history' && status === 'live');
  return live === undefined ? Number.POSITIVE_INFINITY : lagOf(live.checkpoint, known, nowMs).seconds;
}
