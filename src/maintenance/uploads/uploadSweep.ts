import type { ClientBase, Pool } from 'pg';
import { readLiveCheckpoints } from '../../../projections/runner/control/checkpoints.ts';
import { hasHaltedWorker } from '../../../projections/runner/control/workers.ts';
import { PARTITION_GROUPS } from '../../contracts/events/subjects.ts';
import { ABANDONED_AFTER_MS } from '../../contracts/uploads/uploads.ts';
import { inTransaction } from '../../platform/postgres/transaction.ts';
import type { AttachmentStore, UploadFacts } from '../../ports/attachmentStore.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog, LogStatus } from '../../ports/eventLog.ts';
import { KEPT } from './uploadStatements.ts';

export interface SweepOptions {
  readonly attachments: AttachmentStore;
  readonly log: Pick<EventLog, 'status'>;
  readonly pool: Pool;
  readonly clock: Clock;
}

/** What one sweep of a part of the store came to. */
export interface Swept {
  /** Uploads that no message refers to. */
  readonly abandoned: number;
  /** Uploads that never came to their end. */
  readonly leftovers: number;
  /** Uploads that are old enough and that the history cannot speak of yet. */
  readonly undecided: number;
  /** Where to go on; null: at the beginning. */
  readonly next: number | null;
}

/** Chunks without an info that are older than this belong to a process that died, in milliseconds: no upload takes as long. */
const LEFT_AFTER_MS = 3_600_000;

/**
 * Removes from the next part of the store what nobody can have any more: uploads past {@link ABANDONED_AFTER_MS} that no
 * message refers to, and chunks of uploads that never were complete.
 *
 * That no message refers to an upload is the history's word, and counts only when the history certainly holds everything that
 * could: it is of this log, it is healthy, and it was complete at a time when the upload could not be attached any more. Else
 * the upload waits for another round. Several processes may sweep at the same time: removing twice removes once.
 *
 * @throws LogUnavailableError, or an error of Postgres
 */
export async function sweepUploads(options: SweepOptions, after: number): Promise<Swept> {
  const { attachments, clock } = options;
  const nowMs = clock.nowMs();
  const survey = await attachments.survey({
    after,
    // What was uploaded when by the clock of the process that took it is checked below.
    storedBeforeMs: nowMs - LEFT_AFTER_MS,
    leftBeforeMs: nowMs - LEFT_AFTER_MS,
  });
  for (const leftover of survey.leftovers) await leftover.remove();
  const aged: UploadFacts[] = [];
  for (const id of survey.uploads) {
    const found = await attachments.find(id);
    if (found !== null && nowMs - found.facts.uploadedAtMs > ABANDONED_AFTER_MS) aged.push(found.facts);
  }
  const { abandoned, undecided } = await judge(options, aged);
  for (const id of abandoned) await attachments.remove(id);
  return { abandoned: abandoned.length, leftovers: survey.leftovers.length, undecided, next: survey.next };
}

async function judge(options: SweepOptions, aged: readonly UploadFacts[]): Promise<Judgement> {
  if (aged.length === 0) return { abandoned: [], undecided: 0 };
  // Asked before the history is read: what comes into the log later is none of these uploads' concern.
  const head = await options.log.status();
  const nowMs = options.clock.nowMs();
  // One snapshot, so that a switch of versions in between does not answer half of it.
  const begin = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY';
  const work = async (client: ClientBase): Promise<Judgement> => {
    const completeMs = await completeUntilMs(client, head, nowMs);
    const decidable = aged.filter(({ uploadedAtMs }) => uploadedAtMs + ABANDONED_AFTER_MS <= completeMs);
    const undecided = aged.length - decidable.length;
    if (decidable.length === 0) return { abandoned: [], undecided };
    const used = await keptUploads(client, decidable);
    return { abandoned: decidable.map(({ id }) => id).filter((id) => !used.has(id)), undecided };
  };
  return inTransaction(options.pool, work, begin);
}

interface Judgement {
  readonly abandoned: readonly string[];
  readonly undecided: number;
}

async function keptUploads(client: ClientBase, uploads: readonly UploadFacts[]): Promise<Set<string>> {
  const conversationIds = uploads.map(({ conversationId }) => conversationId);
  const { rows } = await client.query<{ id: string }>(KEPT, [uploads.map(({ id }) => id), conversationIds]);
  return new Set(rows.map(({ id }) => id));
}

/**
 * Everything that was in the log by then is certainly in the history. Never, unless there is a history of this log with all
 * its groups, and no worker has halted on it.
 */
async function completeUntilMs(client: ClientBase, head: LogStatus, nowMs: number): Promise<number> {
  const checkpoints = await readLiveCheckpoints(client, 'history');
  const isWhole = checkpoints.length === PARTITION_GROUPS;
  const isOfThisLog = checkpoints.every(({ epoch }) => epoch === head.epoch);
  if (!isWhole || !isOfThisLog || (await hasHaltedWorker(client, 'history'))) return Number.NEGATIVE_INFINITY;
  if (checkpoints.every(({ seq }) => seq >= head.lastSeq)) return nowMs;
  return Math.min(...checkpoints.map(({ storedAtMs }) => storedAtMs));
}
