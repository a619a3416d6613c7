/**
 * The states of a projection's runner and what leads from one to the next.
 *
 * - `idle`: not started.
 * - `starting`: asks for its share of the partition groups, checks that log and read model belong together, opens the
 *   log at the lowest of its checkpoints.
 * - `standby`: other workers have all the groups; asks again every two seconds, and takes over from one that died.
 * - `paused`: an operator wants it to rest; asks every two seconds whether still.
 * - `catchingUp`: projects what the log holds after the checkpoints.
 * - `live`: is within a batch of the log's end; projects events as they come.
 * - `backoff`: something failed that may pass (database away, log away); starts again after a pause that grows.
 * - `halted`: something is wrong that does not pass by itself (an event of a type that this code does not know, a log
 *   that is not the one the read model was built from). Nothing is written until an operator says `resume`.
 * - `stopped`: ended on request; final.
 *
 * Whatever the state, a worker writes only where its claim holds: the checkpoint moves by compare-and-set of sequence and
 * owner epoch in the transaction of the rows. So the states decide who tries, never who may.
 */
export type RunnerState =
  | 'idle'
  | 'starting'
  | 'standby'
  | 'paused'
  | 'catchingUp'
  | 'live'
  | 'backoff'
  | 'halted'
  | 'stopped';

export type RunnerTrigger =
  | 'start'
  | 'opened'
  | 'caughtUp'
  | 'fellBehind'
  /** There is no group left for this worker. */
  | 'unassigned'
  | 'pausedByOperator'
  /** The groups were rebalanced: this worker has others than before. */
  | 'reassigned'
  /** Another worker, or a switch to another version, has taken a checkpoint over. */
  | 'fenced'
  | 'failed'
  | 'unrecoverable'
  /** The pause is over: of a backoff, or between two checks whether there is something to do. */
  | 'pauseOver'
  | 'resumedByOperator'
  | 'stop';

/** `null`: the trigger means nothing in that state and changes nothing. */
type Row = Readonly<Record<RunnerTrigger, RunnerState | null>>;

const NOTHING: Row = {
  start: null,
  opened: null,
  caughtUp: null,
  fellBehind: null,
  unassigned: null,
  pausedByOperator: null,
  reassigned: null,
  fenced: null,
  failed: null,
  unrecoverable: null,
  pauseOver: null,
  resumedByOperator: null,
  stop: 'stopped',
};

const FAULTS = { fenced: 'backoff', failed: 'backoff', unrecoverable: 'halted' } as const;
const WORKING = { ...NOTHING, ...FAULTS, reassigned: 'starting' } as const;

const TRANSITIONS: Readonly<Record<RunnerState, Row>> = {
  idle: { ...NOTHING, start: 'starting' },
  starting: {
    ...NOTHING,
    ...FAULTS,
    opened: 'catchingUp',
    unassigned: 'standby',
    pausedByOperator: 'paused',
  },
  standby: { ...NOTHING, pauseOver: 'starting' },
  paused: { ...NOTHING, pauseOver: 'starting' },
  catchingUp: { ...WORKING, caughtUp: 'live' },
  live: { ...WORKING, fellBehind: 'catchingUp' },
  backoff: { ...NOTHING, pauseOver: 'starting' },
  halted: { ...NOTHING, resumedByOperator: 'starting' },
  stopped: { ...NOTHING, stop: null },
};

/** The state that follows; the same one when the trigger means nothing there. */
export function transition(state: RunnerState, trigger: RunnerTrigger): RunnerState {
  return TRANSITIONS[state][trigger] ?? state;
}
