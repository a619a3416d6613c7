import type { Pool, PoolClient } from 'pg';
import { readLiveCheckpoints } from '../../../projections/runner/control/checkpoints.ts';
import { askWitness } from '../../../projections/runner/control/witness.ts';
import { inTransaction } from '../../platform/postgres/transaction.ts';
import { systemTimers } from '../../platform/time/timers.ts';
import type { EventFeed } from '../../ports/eventFeed.ts';
import type { EventLog } from '../../ports/eventLog.ts';
import {
  type ConversationDigest,
  type HistoryDigest,
  readHistoryDigest,
} from '../../queries/historyDigest.ts';
import { digestLog } from './logDigest.ts';

export interface Difference {
  readonly conversationId: string;
  readonly inLog: ConversationDigest | null;
  readonly inReadModel: ConversationDigest | null;
}

export interface Verification {
  readonly version: number;
  /** Log and read model were compared up to here, in the partition group that is furthest. */
  readonly checkpoint: number;
  readonly conversations: number;
  readonly messages: number;
  readonly differences: readonly Difference[];
  /** Conversations that wait aside because an event of them could not be projected: they were not compared. */
  readonly parked: readonly string[];
}

export interface VerifyOptions {
  readonly log: EventLog;
  readonly feed: EventFeed;
  /** Its statement time-out must allow for a pass over all messages. */
  readonly pool: Pool;
  /** How long the read model may take to reach the log's end of now, in milliseconds. */
  readonly waitMsMax: number;
  readonly onWaiting?: (progress: { checkpoint: number; lastSeq: number }) => void;
  readonly onProgress?: (progress: { read: number; total: number }) => void;
}

/** There is nothing to compare, or it cannot be compared. */
export class VerifyError extends Error {
  override readonly name = 'VerifyError';
}

/**
 * Compares the log with the read model, conversation by conversation: number of messages and a hash over everything
 * that is shown. Works on a running system: the read model is taken at one moment, with its checkpoint, and the log
 * is folded up to exactly there.
 *
 * @throws VerifyError
 */
export async function verify(options: VerifyOptions): Promise<Verification> {
  await assertSameLog(options);
  await waitForReadModel(options);
  const model = await readModel(options.pool);
  const { feed, onProgress } = options;
  const log = await digestLog({ feed, until: model.checkpoints, ...(onProgress && { onProgress }) });
  let messages = 0;
  for (const digest of log.values()) messages += digest.messages;
  const differences = compareDigests(log, model.conversations, model.parked);
  return {
    version: model.version,
    checkpoint: Math.max(0, ...model.checkpoints.values()),
    conversations: log.size,
    messages,
    differences,
    parked: [...model.parked],
  };
}

/** @param parked left out */
export function compareDigests(
  log: ReadonlyMap<string, ConversationDigest>,
  model: ReadonlyMap<string, ConversationDigest>,
  parked: ReadonlySet<string>,
): Difference[] {
  const ids = new Set([...log.keys(), ...model.keys()]);
  return [...ids].flatMap((conversationId) => {
    if (parked.has(conversationId)) return [];
    const inLog = log.get(conversationId) ?? null;
    const inReadModel = model.get(conversationId) ?? null;
    const equal = inLog?.messages === inReadModel?.messages && inLog?.hash === inReadModel?.hash;
    return equal ? [] : [{ conversationId, inLog, inReadModel }];
  });
}

/** Of a log that lost something there is nothing to compare, and waiting for it would not help. */
async function assertSameLog({ pool, log }: VerifyOptions): Promise<void> {
  const testimony = await askWitness(pool, log, systemTimers);
  if (testimony === null || testimony.continuity === 'same') return;
  const { continuity, known, status } = testimony;
  const detail = `The history is of epoch ${known.epoch}, the log of ${status.epoch} and ends at ${status.lastSeq}`;
  if (continuity === 'other') {
    throw new VerifyError(
      `${detail}: it is another log. Point NATS_URL at the right one, or restore it from its backup.`,
    );
  }
  throw new VerifyError(
    `${detail}: it has lost events that the history still knows. See what can be brought back: ` +
      'chat-backend log repair --dry-run',
  );
}

async function waitForReadModel(options: VerifyOptions): Promise<void> {
  const { lastSeq } = await options.log.status();
  const deadline = Date.now() + options.waitMsMax;
  for (;;) {
    const checkpoints = await readLiveCheckpoints(options.pool, 'history');
    const checkpoint = checkpoints.length === 0 ? 0 : Math.min(...checkpoints.map(({ seq }) => seq));
    if (checkpoint >= lastSeq) return;
    if (Date.now() > deadline) {
      const where = `The read model is at ${checkpoint}, the log at ${lastSeq}`;
      throw new VerifyError(
        `${where}, after ${options.waitMsMax / 1_000} s of waiting. Is a projector running?`,
      );
    }
    options.onWaiting?.({ checkpoint, lastSeq });
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function readModel(pool: Pool): Promise<HistoryDigest> {
  const begin = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY';
  const work = async (client: PoolClient) => {
    const digest = await readHistoryDigest(client);
    if (digest === null) throw new VerifyError('There is no read model yet. Is a projector running?');
    return digest;
  };
  return inTransaction(pool, work, begin);
}
