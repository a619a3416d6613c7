import type { Pool } from 'pg';
import { PARTITION_GROUPS } from '../../contracts/events/subjects.ts';
import { ABANDONED_AFTER_MS } from '../../contracts/uploads/uploads.ts';
import { inTransaction } from '../../platform/postgres/transaction.ts';
import type { AttachmentStore, UploadFacts } from '../../ports/attachmentStore.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/eventLog.ts';
import * as sql from './uploadStatements.ts';

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

/** Chunks without an info belong to a process that died: no upload takes so long. */
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

async function judge(
  options: SweepOptions,
  aged: readonly UploadFacts[],
): Promise<{ abandoned: string[]; undecided: number }> {
  if (aged.length === 0) return { abandoned: [], undecided: 0 };
  // Before the history is looked at: what comes into the log later is none of these uploads' concern.
  const head = await options.log.status();
  const nowMs = options.clock.nowMs();
  // At one moment, so that a version that is switched to in between does not answer half of it.
  const begin = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY';
  return inTransaction(
    options.pool,
    async (client) => {
      const { rows } = await client.query<HistoryRow>(sql.HISTORY, [head.epoch]);
      const completeMs = completeUntilMs(rows[0], head.lastSeq, nowMs);
      const decidable = aged.filter(({ uploadedAtMs }) => uploadedAtMs + ABANDONED_AFTER_MS <= completeMs);
      if (decidable.length === 0) return { abandoned: [], undecided: aged.length };
      const ids = decidable.map(({ id }) => id);
      const conversations = decidable.map(({ conversationId }) => conversationId);
      const kept = await client.query<{ id: string }>(sql.KEPT, [ids, conversations]);
      const used = new Set(kept.rows.map(({ id }) => id));
      return { abandoned: ids.filter((id) => !used.has(id)), undecided: aged.length - ids.length };
    },
    begin,
  );
}

interface HistoryRow {
  readonly seq: number;
  readonly groups: number;
  readonly stored_at_ms: number | null;
}

/** Everything that was in the log by then is in the history. */
function completeUntilMs(history: HistoryRow | undefined, lastSeq: number, nowMs: number): number {
  if (history === undefined || history.groups !== PARTITION_GROUPS) return Number.NEGATIVE_INFINITY;
  return history.seq >= lastSeq ? nowMs : (history.stored_at_ms ?? Number.NEGATIVE_INFINITY);
}
