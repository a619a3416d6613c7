import type { KnownLog } from '../../src/platform/log/logContinuity.ts';
import type { SeenLog } from './control/logLineage.ts';
import type { RunnerState } from './states.ts';

/** One version of a read model: its tables, and the log that they are built from. */
export interface Version extends KnownLog {
  readonly version: number;
  readonly status: 'building' | 'live' | 'retired';
  /** Of its tables. */
  readonly format: number;
}

/** How far a read model has come in the log. */
export interface Checkpoint {
  readonly seq: number;
  /** When the log stored the event there, in milliseconds since 1970. */
  readonly storedAtMs: number;
  /** Of the event's bytes, see `fingerprint.ts`; `null`: not known, or before the first event. */
  readonly fingerprint: string | null;
}

/** A worker's right to write one partition group of one version, until somebody else claims it. */
export interface Claim {
  readonly version: Version;
  readonly group: number;
  readonly ownerEpoch: number;
  /** Everything of the group up to here is in the read model, except what is parked. */
  readonly seq: number;
  /** Of the event at `seq`; `null` before the first. */
  readonly fingerprint: string | null;
  /** Conversations of the group that wait aside. */
  readonly parked: readonly ParkedConversation[];
}

/** A conversation of which an event could not be projected. */
export interface ParkedConversation {
  readonly conversationId: string;
  /** The event to go on with: it and everything after it waits. */
  readonly seq: number;
  readonly error: string;
  /** How many times projecting it was tried and given up. */
  readonly attempts: number;
  /** Whether an operator wants it tried again. */
  readonly retryRequested: boolean;
}

/** What a worker has to do, as of now. */
export interface Assignment {
  readonly paused: boolean;
  /** How many times an operator has said `resume`. */
  readonly resumes: number;
  readonly claims: readonly Claim[];
}

/** What a worker says of itself. */
export interface WorkerReport {
  readonly state: RunnerState;
  readonly reason: string | null;
}

/** One transaction's worth of a group. */
export interface GroupCommit<Changes> {
  /** `null`: no rows change. */
  readonly changes: Changes | null;
  /** Where the checkpoint goes; `null`: it stays. */
  readonly to: Checkpoint | null;
  /** Conversations that wait from now on, or from another event on than before. */
  readonly park: readonly ParkedConversation[];
  /** Conversations that wait no longer. */
  readonly unpark: readonly string[];
}

/**
 * Where a projection's rows and checkpoints are kept. In production Postgres (`postgresStore.ts`); in the simulation
 * memory, with every fault that there can be.
 */
export interface ProjectionStore<Changes> {
  /**
   * Reports that this worker is alive, keeps its leases, takes or gives away groups, and returns those that it has now.
   *
   * @param log as it is now: its lineage is kept, and the very first version is of it
   */
  heartbeat(log: SeenLog, report: WorkerReport): Promise<Assignment>;
  /** Says how a worker without groups is, and learns whether an operator has said `resume`. */
  standBy(report: WorkerReport): Promise<Pick<Assignment, 'resumes'>>;
  /** Gives all groups back, so that others need not wait for the leases to end. */
  leave(): Promise<void>;
  /**
   * Writes rows, checkpoint and parked conversations in one transaction, on disk when it resolves.
   *
   * @param onSent called when the changes are on their way: the next may be made ready
   * @throws FencedError when the claim does not hold; PoisonError when the changes themselves cannot be written
   */
  commit(claim: Claim, commit: GroupCommit<Changes>, onSent?: () => void): Promise<void>;
  /**
   * Moves a checkpoint past events of other groups. Need not be on disk: a lost move is only repeated.
   *
   * @throws FencedError
   */
  advance(claim: Claim, to: Checkpoint): Promise<void>;
  /** Tries whether changes could be written, and writes nothing. @returns the reason when they could not */
  probe(claim: Claim, changes: Changes): Promise<string | null>;
}

/** Somebody else has claimed the checkpoint, or it stands elsewhere than this worker believes. */
export class FencedError extends Error {
  override readonly name = 'FencedError';
}

/** The same changes would fail in the same way every time. */
export class PoisonError extends Error {
  override readonly name = 'PoisonError';
}

/** Something that no retry changes: the runner halts with this reason. */
export class HaltError extends Error {
  override readonly name = 'HaltError';
}
