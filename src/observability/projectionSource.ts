import type { Database } from '../platform/postgres/database.ts';
import { auditStatus } from '../queries/auditStatus.ts';
import type { HeadKnowledge } from '../queries/lag.ts';
import { type ProjectionReport, projectionReports } from '../queries/projectionReport.ts';
import { PROJECTION_STATES } from '../queries/projectionState.ts';
import type { ProjectionReading, ProjectionSource } from './subscribers/projections.ts';

/** What the metrics show of the read models, from Postgres and the log's head. */
export function projectionSource(parts: {
  readonly database: Database;
  readonly head: HeadKnowledge;
  readonly epoch: () => string;
  readonly lagSecondsMax: number;
  readonly nowMs: () => number;
}): ProjectionSource {
  const { database, head, epoch, lagSecondsMax, nowMs } = parts;
  const log = () => ({ head, epoch: epoch() });
  const read = async () => {
    const reports = projectionReports({ database, log, lagSecondsMax, nowMs });
    const [versions, audit] = await Promise.all([reports, auditStatus(database)]);
    const live = versions.filter(({ status }) => status === 'live');
    return { projections: live.map(readingOf), audit };
  };
  return { states: PROJECTION_STATES, read };
}

function readingOf({ projection, state, lag, parkedConversations }: ProjectionReport): ProjectionReading {
  // Prometheus' word for what nobody knows.
  const lagEvents = lag.events ?? Number.NaN;
  return { projection, lagEvents, lagSeconds: lag.seconds, state, parkedConversations };
}
