import { faultReason } from '../platform/databaseFault.ts';
import { lagOf } from '../queries/lag.ts';
import { type ProjectionStatus, projectionStatus } from '../queries/projectionStatus.ts';
import type { HttpDeps } from './deps.ts';
import type { HealthReport } from './healthReport.ts';

/**
 * How the read models stand to the log:
 * `live` follows it; `lagging` is further behind than is allowed; `building` is a new version on its way; `waiting`
 * has not begun; `other-log` was built from another incarnation of the log, so that sequences cannot be compared.
 */
type State = 'live' | 'lagging' | 'building' | 'waiting' | 'other-log';

/** Healthy while each read model that is read is where it should be. */
export async function projectionsHealth(deps: HttpDeps): Promise<HealthReport> {
  const head = deps.logHead.lastSeq();
  try {
    const versions = await projectionStatus(deps.database);
    const projections = versions.map((version) => describe(version, deps));
    const status = verdict(projections.map(({ state }) => state));
    return { healthy: status === 'OK', body: { status, head, projections } };
  } catch (error) {
    return { healthy: false, body: { status: 'ERROR', head, projections: [], reason: faultReason(error) } };
  }
}

/** Building and waiting harm nobody, as long as something can be read. */
function verdict(states: readonly State[]): 'OK' | 'LAGGING' | 'ERROR' {
  if (states.includes('other-log')) return 'ERROR';
  if (states.includes('lagging')) return 'LAGGING';
  return states.includes('live') ? 'OK' : 'ERROR';
}

function describe(version: ProjectionStatus, deps: HttpDeps) {
  const { checkpoint, groups } = version;
  const nowMs = deps.application.clock.nowMs();
  const lag = lagOf(checkpoint, deps.logHead, nowMs);
  return {
    name: version.projection,
    version: version.version,
    state: stateOf(version, lag.seconds, deps),
    checkpoint: checkpoint?.seq ?? null,
    head: deps.logHead.lastSeq(),
    lag,
    groups,
    parkedConversations: 0,
  };
}

function stateOf(version: ProjectionStatus, lagSeconds: number, deps: HttpDeps): State {
  if (version.status === 'building') return 'building';
  if (version.checkpoint === null) return 'waiting';
  if (version.epoch !== deps.application.log.epoch) return 'other-log';
  return lagSeconds > deps.health.lagSecondsMax ? 'lagging' : 'live';
}
