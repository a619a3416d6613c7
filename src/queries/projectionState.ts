import { PROJECTION_STATES } from '../contracts/http/answers/health.ts';
import type { ProjectionStatus } from './projectionStatus.ts';

export { PROJECTION_STATES };
export type ProjectionState = (typeof PROJECTION_STATES)[number];

export function stateOfProjection(
  version: ProjectionStatus,
  now: { readonly lagSeconds: number; readonly lagSecondsMax: number; readonly epoch: string },
): ProjectionState {
  if (version.epoch !== now.epoch) return 'other-log';
  if (version.workers.some(({ state }) => state === 'halted')) return 'halted';
  if (version.status === 'building') return 'building';
  if (version.paused) return 'paused';
  if (version.checkpoint === null) return 'waiting';
  if (now.lagSeconds > now.lagSecondsMax) return 'lagging';
  return version.groups.every(({ owner }) => owner === null) ? 'unattended' : 'live';
}
