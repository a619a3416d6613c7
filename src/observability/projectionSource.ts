import type { Database } from '../platform/postgres/database.ts';
import { auditStatus } from '../queries/auditStatus.ts';
import { type HeadKnowledge, lagOf } from '../queries/lag.ts';
import { PROJECTION_STATES, stateOfProjection } from '../queries/projectionState.ts';
import { projectionStatus } from '../queries/projectionStatus.ts';
import type { ProjectionSource } from './projectionMetrics.ts';

/** What the metrics say of the read models, from Postgres and the log's head. */
export function projectionSource(parts: {
  readonly database: Database;
  readonly head: HeadKnowledge;
  readonly epoch: () => string;
  readonly lagSecondsMax: number;
  readonly nowMs: () => number;
}): ProjectionSource {
  const { database, head, epoch, lagSecondsMax, nowMs } = parts;
  const read = async () => {
    const [versions, audit] = await Promise.all([projectionStatus(database), auditStatus(database)]);
    const live = versions.filter(({ status }) => status === 'live');
    const projections = live.map((version) => {
      const lag = lagOf(version.checkpoint, head, nowMs());
      const state = stateOfProjection(version, { lagSeconds: lag.seconds, lagSecondsMax, epoch: epoch() });
      const { projection, parkedConversations } = version;
      return { projection, lagEvents: lag.events, lagSeconds: lag.seconds, state, parkedConversations };
    });
    return { projections, audit };
  };
  return { states: PROJECTION_STATES, read };
}
