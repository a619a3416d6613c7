import { faultReason } from '../../platform/postgres/databaseFault.ts';
import { type ProjectionReport, projectionReports } from '../../queries/projectionReport.ts';
import type { HttpDeps } from '../deps.ts';
import type { HealthReport } from './report.ts';

/** Healthy while each read model that is read is where it should be. */
export async function projectionsHealth(deps: HttpDeps): Promise<HealthReport> {
  const head = deps.reading.logHead.lastSeq();
  try {
    const reports = await readReports(deps);
    const status = verdict(reports, deps.operations.health.lagSecondsMax);
    return { healthy: status === 'OK', body: { status, head, projections: reports.map(describe) } };
  } catch (error) {
    return { healthy: false, body: { status: 'ERROR', head, projections: [], reason: faultReason(error) } };
  }
}

function readReports({ application, reading, operations }: HttpDeps): Promise<ProjectionReport[]> {
  const { log, clock } = application;
  const { database, logHead: head } = reading;
  return projectionReports({
    database,
    log: () => ({ head, epoch: log.epoch }),
    lagSecondsMax: operations.health.lagSecondsMax,
    nowMs: () => clock.nowMs(),
  });
}

/** What is built beside the live version harms nothing while something can be read; a pause does when it takes long. */
function verdict(reports: readonly ProjectionReport[], lagSecondsMax: number): 'OK' | 'LAGGING' | 'ERROR' {
  const read = reports.filter(({ state }) => state !== 'building' && state !== 'waiting');
  if (read.length === 0 || read.some(({ state }) => state === 'halted' || state === 'other-log'))
    return 'ERROR';
  return read.some(({ lag }) => lag.seconds > lagSecondsMax) ? 'LAGGING' : 'OK';
}

function describe(report: ProjectionReport) {
  const { projection: name, version, state, checkpoint, lastSeq: head, lag } = report;
  const { groups, parkedConversations, workers } = report;
  const place = { checkpoint: checkpoint?.seq ?? null, head, lag };
  return { name, version, state, ...place, groups, parkedConversations, workers };
}
