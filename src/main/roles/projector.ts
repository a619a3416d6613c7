import { hostname } from 'node:os';
import type { Pool } from 'pg';
import { allProjections } from '../../../projections/all.ts';
import { ReceiptsWriter } from '../../../projections/receipts/receiptsWriter.ts';
import { PostgresStore } from '../../../projections/runner/postgresStore.ts';
import type { Projection } from '../../../projections/runner/projection.ts';
import { rebuild } from '../../../projections/runner/rebuild.ts';
import { ProjectionRunner } from '../../../projections/runner/runner.ts';
import { Upkeep } from '../../../projections/runner/upkeep.ts';
import { Auditor } from '../../maintenance/audit/auditor.ts';
import { UploadSweeper } from '../../maintenance/uploads/uploadSweeper.ts';
import { projectRootUrl } from '../../platform/embedded/projectRootUrl.ts';
import { newEdgeId } from '../../platform/ids.ts';
import { announceProgress } from '../../platform/nats/projectionProgress.ts';
import { GuardedPool } from '../../platform/postgres/guardedPool.ts';
import { systemTimers } from '../../platform/time/timers.ts';
import type { StopSequence } from '../stopSequence.ts';
import type { Foundation } from '../system.ts';

/** A batch of thousands of rows may wait for disks that a single query never meets. */
const BATCH_STATEMENT_MS_MAX = 60_000;
/** Shorter than a lease: a worker that freezes inside a transaction must not hold the checkpoint longer than that. */
const IDLE_IN_TRANSACTION_MS_MAX = 4_000;
/** More at a time than Postgres has cores for only make each other wait. */
const CONNECTIONS_MAX = 8;

/** The worker that builds the read models. */
export function startProjector(foundation: Foundation, stops: StopSequence): void {
  const { log, lifecycle, databaseUrl } = foundation;
  const pool = new GuardedPool({
    url: databaseUrl,
    applicationName: 'chat-backend projector',
    connectionsMax: CONNECTIONS_MAX,
    acquireMsMax: BATCH_STATEMENT_MS_MAX,
    statementMsMax: BATCH_STATEMENT_MS_MAX,
    idleInTransactionMsMax: IDLE_IN_TRANSACTION_MS_MAX,
    ...lifecycle.database('projector'),
  });
  stops.add(() => pool.close());
  lifecycle.watch.pool('projector', pool);
  const worker = `${hostname()}:${process.pid}:${newEdgeId()}`;
  for (const projection of allProjections(projectRootUrl())) {
    startProjection(foundation, { projection, pool, worker }, stops);
  }
  const receiptsWriter = new ReceiptsWriter({
    receipts: foundation.receipts,
    pool,
    onFault: lifecycle.fault('receipts'),
  });
  receiptsWriter.start();
  stops.add(() => receiptsWriter.stop());
  const auditor = new Auditor({
    log,
    feed: log,
    pool,
    owner: worker,
    timers: systemTimers,
    onEvent: lifecycle.audit,
  });
  startSweeper(foundation, pool, stops);
  auditor.start();
  stops.add(() => auditor.stop());
}

function startSweeper({ application, log, lifecycle }: Foundation, pool: Pool, stops: StopSequence): void {
  const { attachments, clock } = application;
  const sweeper = new UploadSweeper({
    attachments,
    log,
    pool,
    clock,
    timers: systemTimers,
    random: Math.random,
    onEvent: lifecycle.sweep,
  });
  sweeper.start();
  stops.add(() => sweeper.stop());
}

interface Working<Changes> {
  readonly projection: Projection<Changes>;
  readonly pool: Pool;
  readonly worker: string;
}

function startProjection<Changes>(
  foundation: Foundation,
  working: Working<Changes>,
  stops: StopSequence,
): void {
  const { config, log, connection, lifecycle } = foundation;
  const { projection, pool, worker } = working;
  const timers = systemTimers;
  const batchMax = config.projectionBatchEvents;
  const runner = new ProjectionRunner({
    projection,
    store: new PostgresStore({ projection, pool, worker }),
    log,
    feed: log,
    timers,
    batchMax,
    onEvent: lifecycle.projection,
    onCommit: ({ group, seq, parked }) =>
      announceProgress(connection, projection.name, { group, seq, parked: [...parked] }),
  });
  runner.start();
  stops.add(() => runner.stop());
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
