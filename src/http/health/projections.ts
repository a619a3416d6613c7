import { faultReason } from '../../platform/postgres/databaseFault.ts';
import { lagOf } from '../../queries/lag.ts';
import { type ProjectionState, stateOfProjection } from '../../queries/projectionState.ts';
import { type ProjectionStatus, projectionStatus } from '../../queries/projectionStatus.ts';
import type { HttpDeps } from '../deps.ts';
import type { HealthReport } from './report.ts';

/** Healthy while each read model that is read is where it should be. */
export async function projectionsHealth(deps: HttpDeps): Promise<HealthReport> {
  const head = deps.reading.logHead.lastSeq();
  try {
    const versions = await projectionStatus(deps.reading.database);
    const projections = versions.map((version) => describe(version, deps));
    const status = verdict(projections, deps.operations.health.lagSecondsMax);
    return { healthy: status === 'OK', body: { status, head, projections } };
  } catch (error) {
    return { healthy: false, body: { status: 'ERROR', head, projections: [], reason: faultReason(error) } };
  }
}

interface Described {
  readonly state: ProjectionState;
  readonly lag: { readonly seconds: number };
}

/** What is built beside the live version harms nobody, as long as something can be read; resting does when it takes long. */
function verdict(projections: readonly Described[], lagSecondsMax: number): 'OK' | 'LAGGING' | 'ERROR' {
  const read = projections.filter(({ state }) => state !== 'building' && state !== 'waiting');
  if (read.length === 0 || read.some(({ state }) => state === 'halted' || state === 'other-log'))
    return 'ERROR';
  return read.some(({ lag }) => lag.seconds > lagSecondsMax) ? 'LAGGING' : 'OK';
}

function describe(version: ProjectionStatus, deps: HttpDeps) {
  const { checkpoint, groups, workers, parkedConversations } = version;
  const lag = lagOf(checkpoint, deps.reading.logHead, deps.application.clock.nowMs());
  const { lagSecondsMax } = deps.operations.health;
  const now = { lagSeconds: lag.seconds, lagSecondsMax, epoch: deps.application.log.epoch };
  return {
    name: version.projection,
    version: version.version,
    state: stateOfProjection(version, now),
    checkpoint: checkpoint?.seq ?? null,
    head: deps.reading.logHead.lastSeq(),
    lag,
    groups,
    parkedConversations,
    workers,
  };
}
