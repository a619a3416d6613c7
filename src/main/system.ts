import type { Logger } from 'pino';
import type { Config } from '../platform/config/config.ts';
import { announce, type Ports } from './announcement.ts';
import { openBase } from './base.ts';
import { type Foundation, openFoundation } from './foundation.ts';
import { openGate } from './parts/gate.ts';
import { openRealtime } from './parts/realtime.ts';
import { openApi } from './roles/api.ts';
import { openEdge } from './roles/edge.ts';
import { openMaintenance } from './roles/maintenance.ts';
import { openProjector } from './roles/projector.ts';

export interface System {
  stop(): Promise<void>;
}

/**
 * Starts the system in the order in which its parts stand on each other: base, foundation, roles. When a later part fails,
 * what was started stops again, in reverse order.
 */
export async function startSystem(config: Config, logger: Logger, signal: AbortSignal): Promise<System> {
  const base = openBase(config, logger, signal);
  base.metrics.watchProcess();
  try {
    const foundation = await openFoundation(base);
    announce(config, await openRoles(foundation));
    return { stop: () => base.stops.run() };
  } catch (error) {
    await base.stops.run();
    throw error;
  }
}

async function openRoles(foundation: Foundation): Promise<Ports> {
  const { roles } = foundation.config;
  const ports = roles.includes('api') || roles.includes('edge') ? await openFrontDoors(foundation) : NO_PORTS;
  if (roles.includes('projector')) openProjector(foundation);
  if (roles.includes('maintenance')) openMaintenance(foundation);
  return ports;
}

const NO_PORTS: Ports = { api: null, edge: null };

/** The roles that clients talk to share one tail of the log and one gate. */
async function openFrontDoors(foundation: Foundation): Promise<Ports> {
  const { config, progressOf } = foundation;
  const realtime = await openRealtime(foundation, { ...foundation, historyProgress: progressOf('history') });
  const gate = openGate(foundation, foundation.application.clock);
  const api = config.roles.includes('api') ? await openApi(foundation, realtime, gate) : null;
  const edge = config.roles.includes('edge') ? await openEdge(foundation, realtime, gate) : null;
  return { api: api?.port ?? null, edge: edge?.port ?? null };
}
