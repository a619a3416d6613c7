import { type Database, openDatabase, type Reads } from '../../platform/postgres/database.ts';
import { ReplicaReads } from '../../platform/postgres/replicaReads.ts';
import { systemTimers } from '../../platform/time/timers.ts';
import type { Clock } from '../../ports/clock.ts';
import { historyLagSeconds } from '../../queries/historyLag.ts';
import type { HeadKnowledge } from '../../queries/lag.ts';
import type { Base } from '../base.ts';

/** What decides whether a replica may be asked. */
export interface ReplicaParts {
  readonly primary: Database;
  readonly logHead: HeadKnowledge;
  readonly clock: Clock;
}

/** Where history and search are read: a replica with the database as its fallback when one is set, else the database. */
export function openReplica(
  { config, lifecycle, stops }: Base,
  { primary, logHead, clock }: ReplicaParts,
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
    lagSeconds: () => historyLagSeconds(replica, logHead, clock.nowMs()),
    lagSecondsMax: config.replicaLagSecondsMax,
    timers: systemTimers,
    onChange: lifecycle.replica,
  });
  lifecycle.watch.replica(reads);
  stops.add(() => reads.stop());
  return reads;
}
