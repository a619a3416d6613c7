import { hostname } from 'node:os';
import type { Pool } from 'pg';
import { allProjections } from '../../../projections/all.ts';
import { ReceiptsWriter } from '../../../projections/receipts/receiptsWriter.ts';
import { PostgresStore } from '../../../projections/runner/postgresStore.ts';
import type { Projection } from '../../../projections/runner/projection.ts';
import { rebuild } from '../../../projections/runner/rebuild.ts';
import { ProjectionRunner } from '../../../projections/runner/runner.ts';
import { Upkeep } from '../../../projections/runner/upkeep.ts';
import { projectRootUrl } from '../../platform/embedded/projectRootUrl.ts';
import { newEdgeId } from '../../platform/ids.ts';
import { announceProgress } from '../../platform/nats/projectionProgress.ts';
import { systemTimers } from '../../platform/time/timers.ts';
import type { Foundation } from '../foundation.ts';
import { openWorkerPool } from '../parts/workerPool.ts';

/** More at a time than Postgres has cores for only make each other wait. */
const CONNECTIONS_MAX = 8;

/** The worker that builds the read models. */
export function openProjector(foundation: Foundation): void {
  const pool = openWorkerPool(foundation, 'projector', CONNECTIONS_MAX);
  const worker = `${hostname()}:${process.pid}:${newEdgeId()}`;
  for (const projection of allProjections(projectRootUrl())) {
    openProjection(foundation, { projection, pool, worker });
  }
  const { receipts, lifecycle, stops } = foundation;
  const receiptsWriter = new ReceiptsWriter({ receipts, pool, onFault: lifecycle.fault('receipts') });
  receiptsWriter.start();
  stops.add(() => receiptsWriter.stop());
}

interface ProjectionParts<Changes> {
  readonly projection: Projection<Changes>;
  readonly pool: Pool;
  readonly worker: string;
}

function openProjection<Changes>(foundation: Foundation, parts: ProjectionParts<Changes>): void {
  openRunner(foundation, parts);
  openUpkeep(foundation, parts);
}

/** Writes the read model. */
function openRunner<Changes>(foundation: Foundation, parts: ProjectionParts<Changes>): void {
  const { config, log, connection, lifecycle, stops } = foundation;
  const { projection, pool, worker } = parts;
  const runner = new ProjectionRunner({
    projection,
    store: new PostgresStore({ projection, pool, worker }),
    log,
    feed: log,
    timers: systemTimers,
    batchMax: config.projectionBatchEvents,
    onEvent: lifecycle.projection,
    onCommit: ({ group, seq, parked }) =>
      announceProgress(connection, projection.name, { group, seq, parked: [...parked] }),
  });
  runner.start();
  stops.add(() => runner.stop());
}

/** Rebuilds it when it is of an older format or was thrown away, and removes old versions. */
function openUpkeep<Changes>(foundation: Foundation, parts: ProjectionParts<Changes>): void {
  const { config, log, lifecycle, stops } = foundation;
  const { projection, pool, worker } = parts;
  const timers = systemTimers;
  const batchMax = config.projectionBatchEvents;
  const upkeep = new Upkeep({
    projection,
    pool,
    timers,
    random: Math.random,
    rebuild: (signal) =>
      rebuild({ projection, pool, log, feed: log, timers, worker: `${worker}:rebuild`, batchMax, signal }),
    onEvent: lifecycle.upkeep,
  });
  upkeep.start();
  stops.add(() => upkeep.stop());
}
