import type { EventLog } from '../ports/eventLog.ts';
import { type LogKnowledge, type ProjectionReport, projectionReports } from '../queries/projectionReport.ts';
import type { CliEnvironment } from './environment.ts';

/** What reports on the read models are made from. */
export interface ReportEnvironment extends Pick<CliEnvironment, 'database'> {
  readonly log: Pick<EventLog, 'at' | 'status'>;
}

/** Erased events that may lie between a checkpoint and the next event that is still there. */
const HOLES_MAX = 100;

/** State and lag of the read models as `/health/projections` shows them. */
export function readReports(
  { log, database }: ReportEnvironment,
  lagSecondsMax: number,
): Promise<ProjectionReport[]> {
  const nowMs = Date.now;
  return projectionReports({ database, lagSecondsMax, nowMs, log: (after) => readLog(log, after) });
}

/**
 * The log's end, and when it moved on from each of these sequences. A command has not polled the log before, as a server
 * has; the time of the first event after a checkpoint says the same, and more exactly.
 */
export async function readLog(
  log: ReportEnvironment['log'],
  checkpoints: readonly number[],
): Promise<LogKnowledge> {
  const { epoch, firstSeq, lastSeq } = await log.status();
  const nextAtMs = async (after: number) => {
    const from = Math.max(after + 1, firstSeq);
    const to = Math.min(lastSeq, from + HOLES_MAX);
    for (let seq = from; seq <= to; seq++) {
      const event = await log.at(seq);
      if (event !== null) return event.storedAtMs;
    }
    return null;
  };
  const seqs = [...new Set(checkpoints)];
  const movedOnAtMs = new Map(
    await Promise.all(seqs.map(async (seq) => [seq, await nextAtMs(seq)] as const)),
  );
  const notBeyondAtMs = (seq: number) => movedOnAtMs.get(seq) ?? null;
  return { epoch, head: { lastSeq: () => lastSeq, notBeyondAtMs, isFresh: () => true } };
}
