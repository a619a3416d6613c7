import type { LagView } from '../contracts/http/answers/messages.ts';
import type { Reads } from '../platform/postgres/database.ts';
import { type HeadKnowledge, lagOf } from './lag.ts';
import { type ProjectionState, stateOfProjection } from './projectionState.ts';
import { type ProjectionStatus, projectionStatus } from './projectionStatus.ts';

/** One version of one read model: where it is, how far behind the log, and in which state. */
export interface ProjectionReport extends ProjectionStatus {
  /** The log's end that the lag is measured from. */
  readonly lastSeq: number;
  readonly lag: LagView;
  readonly state: ProjectionState;
}

/** What is known of the log that the read models are built from. */
export interface LogKnowledge {
  readonly epoch: string;
  readonly head: HeadKnowledge;
}

export interface ReportParts {
  readonly database: Reads;
  /**
   * The log, once the checkpoints are known: a process that polls the log's end knows enough without them, a command that
   * has just started reads what comes after them.
   */
  readonly log: (checkpoints: readonly number[]) => LogKnowledge | Promise<LogKnowledge>;
  /** A live read model that is further behind than this is `lagging`, in seconds. */
  readonly lagSecondsMax: number;
  readonly nowMs: () => number;
}

/**
 * State and lag of every version that is not retired, for health, metrics and command line alike.
 *
 * @throws ChatError database_unavailable, and what `log` throws
 */
export async function projectionReports(parts: ReportParts): Promise<ProjectionReport[]> {
  const { database, lagSecondsMax, nowMs } = parts;
  const versions = await projectionStatus(database);
  const { head, epoch } = await parts.log(versions.map(({ checkpoint }) => checkpoint?.seq ?? 0));
  return versions.map((version) => {
    const lag = lagOf(version.checkpoint, head, nowMs());
    const state = stateOfProjection(version, { lagSeconds: lag.seconds, lagSecondsMax, epoch });
    // What is in a read model was in the log, and only the log itself can say that it lost it.
    const builtSeq = head.isFresh() ? 0 : (version.checkpoint?.seq ?? 0);
    return { ...version, lastSeq: Math.max(head.lastSeq(), builtSeq), lag, state };
  });
}
