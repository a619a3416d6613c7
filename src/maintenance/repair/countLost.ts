import { inTransaction } from '../../platform/postgres/transaction.ts';
import { readHistoryDigest } from '../../queries/historyDigest.ts';
import { LogRepairError, type LogRepairOptions, repairLog } from './logRepair.ts';

/**
 * How many messages the history holds and the log does not: what a rebuild from this log would lose for good. Of another log
 * those are all that the history holds.
 */
export async function countLostMessages(
  options: Pick<LogRepairOptions, 'application' | 'pool'>,
): Promise<number> {
  try {
    const { events } = await repairLog({ ...options, dryRun: true });
    return events.MessagePosted ?? 0;
  } catch (error) {
    if (!(error instanceof LogRepairError)) throw error;
    return countMessages(options);
  }
}

async function countMessages({ pool }: Pick<LogRepairOptions, 'pool'>): Promise<number> {
  const begin = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY';
  const model = await inTransaction(pool, readHistoryDigest, begin);
  let messages = 0;
  for (const digest of model?.conversations.values() ?? []) messages += digest.messages;
  return messages;
}
