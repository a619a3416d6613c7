import { askWitness } from '../../../projections/runner/control/witness.ts';
import { renewalFor } from '../../platform/log/logContinuity.ts';
import { GuardedPool } from '../../platform/postgres/guardedPool.ts';
import { systemTimers } from '../../platform/time/timers.ts';
import type { EventLog } from '../../ports/eventLog.ts';
import type { Base } from '../base.ts';

/** A database that takes longer does not keep messages from being taken, in milliseconds. */
const ANSWER_MS_MAX = 5_000;

/**
 * Compares the log with the history before the first append of this process. A log that lost its tail gets a new epoch, so that
 * nothing is appended under sequences that were used before; what was lost can be brought back (`chat-backend log repair`).
 *
 * A process without a database compares nothing at its start. What it sees from then on, it compares after each outage.
 *
 * @param databaseUrl empty for a process without a database
 */
export async function confirmLog(
  { logger, lifecycle }: Base,
  log: EventLog,
  databaseUrl: string,
): Promise<void> {
  if (databaseUrl === '') return;
  const pool = new GuardedPool({
    url: databaseUrl,
    applicationName: 'chat-backend start',
    operation: 'start',
    connectionsMax: 1,
    acquireMsMax: ANSWER_MS_MAX,
    statementMsMax: ANSWER_MS_MAX,
  });
  try {
    const testimony = await askWitness(pool, log, systemTimers);
    if (testimony === null || testimony.continuity === 'same') return;
    const { continuity, known, status } = testimony;
    const renewal = renewalFor(known, testimony);
    const epoch = renewal === null ? status.epoch : await log.renewEpoch(renewal);
    const fields = { component: 'log', continuity, builtFrom: known.epoch, epoch, lastSeq: status.lastSeq };
    logger.error(
      fields,
      'the log is not what the history was built from: see chat-backend log repair --dry-run',
    );
  } catch (error) {
    // Sending goes on without the database; the projectors compare as soon as they reach it.
    lifecycle.fault('log')(error);
  } finally {
    await pool.close();
  }
}
