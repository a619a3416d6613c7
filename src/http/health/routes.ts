import type { Router } from 'express';
import { faultReason } from '../../platform/postgres/databaseFault.ts';
import { type Handler, resource } from '../answer/resource.ts';
import type { HttpDeps } from '../deps.ts';
import { projectionsHealth } from './projections.ts';
import { type HealthReport, sendReport } from './report.ts';
import { streamHealth } from './stream.ts';

/** A log that has been silent for this long does not take messages either, in milliseconds. */
const LOG_SILENT_MS_MAX = 5_000;

/** Health, for people and orchestrators. A check of one part never asks another one. */
export function healthRoutes(router: Router, deps: HttpDeps): void {
  const { database, logHead } = deps.reading;
  const { health } = deps.operations;
  const serve = (path: string, examine: () => HealthReport | Promise<HealthReport>) => {
    const get: Handler = async (_req, res) =>
      sendReport(res, await examine(), deps.application.clock.nowMs());
    resource(router, path, { get });
  };
  serve('/health', () => ({ healthy: true, body: { status: 'OK', uptime: process.uptime() } }));
  serve('/health/live', () => ({ healthy: true, body: { status: 'OK' } }));
  serve('/health/ready', () => readiness(deps));
  serve('/health/database', () => databaseHealth(database));
  serve('/health/stream', () => streamHealth(logHead, health));
  serve('/health/projections', () => projectionsHealth(deps));
}

/** Whether to send requests here. Nothing works without the log; sending survives the loss of Postgres. */
function readiness({ reading: { logHead }, operations: { health } }: HttpDeps): HealthReport {
  if (health.isDraining()) return { healthy: false, body: { status: 'DRAINING' } };
  const ageMs = logHead.ageMs();
  const away = ['unavailable', 'probing'].includes(health.logState());
  if (!away && ageMs !== null && ageMs <= LOG_SILENT_MS_MAX) return { healthy: true, body: { status: 'OK' } };
  return { healthy: false, body: { status: 'ERROR', reason: 'the log does not answer' } };
}

async function databaseHealth(database: HttpDeps['reading']['database']): Promise<HealthReport> {
  const startedMs = performance.now();
  try {
    await database.ping();
    const latencyMs = Math.round((performance.now() - startedMs) * 100) / 100;
    return {
      healthy: true,
      body: { status: 'OK', database: 'Connected', breaker: database.breaker, latencyMs },
    };
  } catch (error) {
    const reason = faultReason(error);
    return {
      healthy: false,
      body: { status: 'ERROR', database: 'Disconnected', breaker: database.breaker, reason },
    };
  }
}
