import { hostname } from 'node:os';
import type { Pool } from 'pg';
import { Auditor } from '../../maintenance/audit/auditor.ts';
import { UploadSweeper } from '../../maintenance/uploads/uploadSweeper.ts';
import { newEdgeId } from '../../platform/ids.ts';
import { systemTimers } from '../../platform/time/timers.ts';
import type { Foundation } from '../foundation.ts';
import { openWorkerPool } from '../parts/workerPool.ts';

/** One task at a time each, and no client waits for any of them. */
const CONNECTIONS_MAX = 3;

/** Work in the background: the audit compares history and log, the sweeper removes uploads that no message names. */
export function openMaintenance(foundation: Foundation): void {
  const pool = openWorkerPool(foundation, 'maintenance', CONNECTIONS_MAX);
  openSweeper(foundation, pool);
  openAuditor(foundation, pool);
}

function openAuditor({ log, lifecycle, stops }: Foundation, pool: Pool): void {
  const auditor = new Auditor({
    log,
    feed: log,
    pool,
    owner: `${hostname()}:${process.pid}:${newEdgeId()}`,
    timers: systemTimers,
    onEvent: lifecycle.audit,
  });
  auditor.start();
  stops.add(() => auditor.stop());
}

function openSweeper({ application, log, lifecycle, stops }: Foundation, pool: Pool): void {
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
