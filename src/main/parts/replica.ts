import { type Database, openDatabase, type Reads } from '../../platform/postgres/database.ts';
import { ReplicaReads } from '../../platform/postgres/replicaReads.ts';
import { systemTimers } from '../../platform/time/timers.ts';
import { historyLagSeconds } from '../../queries/historyLag.ts';
import type { HeadKnowledge } from '../../queries/lag.ts';
import type { StopSequence } from '../stopSequence.ts';
import type { Foundation } from '../system.ts';

/** Where history and search are read: a replica with the database behind it, if the settings name one. */
export function startReads(
  { config, application, lifecycle }: Foundation,
  { primary, logHead }: { primary: Database; logHead: HeadKnowledge },
  stops: StopSequence,
): Reads {
  if (config.replicaUrl === undefined) return primary;
  const replica = openDatabase({
    url: config.replicaUrl,
    applicationName: 'chat-backend api replica',
    statementMsMax: config.databaseStatementTimeoutMs,
    ...lifecycle.database('replica'),
  });
  stops.add(() => replica.close());
  lifecycle.watch.pool('replica', replica.pool);
  const reads = new ReplicaReads({
    primary,
    replica,
    lagSeconds: () => historyLagSeconds(replica, logHead, application.clock.nowMs()),
    lagSecondsMax: config.replicaLagSecondsMax,
    timers: systemTimers,
    onChange: lifecycle.replica,
  });
  lifecycle.watch.replica(reads);
  stops.add(() => reads.stop());
  return reads;
}
