import { historyProjection } from '../../../projections/history/history.ts';
import { ReceiptsWriter } from '../../../projections/receipts/receiptsWriter.ts';
import { ProjectionRunner } from '../../../projections/runner/runner.ts';
import { checkpointSubject } from '../../contracts/subjects.ts';
import { openDatabase } from '../../platform/database.ts';
import { projectRootUrl } from '../../platform/projectRootUrl.ts';
import type { StopSequence } from '../stopSequence.ts';
import type { Foundation } from '../system.ts';

/** A batch of thousands of rows may wait for disks that a single query never meets. */
const BATCH_STATEMENT_MS_MAX = 60_000;

/** The worker that builds the read models. */
export function startProjector(foundation: Foundation, stops: StopSequence): void {
  const { config, log, connection, lifecycle, databaseUrl } = foundation;
  const database = openDatabase({
    url: databaseUrl,
    applicationName: 'chat-backend projector',
    connectionsMax: 4,
    statementMsMax: BATCH_STATEMENT_MS_MAX,
    onIdleError: lifecycle.fault('database'),
  });
  stops.add(() => database.close());
  const projection = historyProjection(projectRootUrl());
  const runner = new ProjectionRunner({
    projection,
    pool: database.pool,
    log,
    feed: log,
    batchMax: config.projectionBatchEvents,
    onEvent: lifecycle.projection,
    onCommit: ({ seq }) => connection.publish(checkpointSubject(projection.name), JSON.stringify({ seq })),
  });
  runner.start();
  stops.add(() => runner.stop());
  const receiptsWriter = new ReceiptsWriter({
    receipts: foundation.receipts,
    pool: database.pool,
    onFault: lifecycle.fault('receipts'),
  });
  receiptsWriter.start();
  stops.add(() => receiptsWriter.stop());
}
