import type { ProjectionStatus } from './projectionStatus.ts';

/**
 * How a version of a read model stands, the worst that is true of it:
 * - `other-log`: built from another incarnation of the log, so that sequences cannot be compared
 * - `halted`: a worker found something that does not pass by itself and waits for an operator
 * - `paused`: an operator wants it to rest
 * - `waiting`: has not begun
 * - `lagging`: further behind than is allowed
 * - `unattended`: nobody has any of its groups
 * - `building`: a new version on its way
 * - `live`: follows the log
 */
export const PROJECTION_STATES = [
  'live',
  'building',
  'unattended',
  'lagging',
  'waiting',
  'paused',
  'halted',
  'other-log',
] as const;
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
