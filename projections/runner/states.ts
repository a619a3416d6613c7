/**
 * The states of a projection's runner and what leads from one to the next.
 *
 * - `idle`: not started.
 * - `starting`: finds the version to work on, claims it, opens the log at the checkpoint.
 * - `catchingUp`: projects what the log holds behind the checkpoint.
 * - `live`: is within a batch of the log's end; projects events as they come.
 * - `backoff`: something failed that may pass (database away, log away); starts again after a pause.
 * - `halted`: something is wrong that does not pass by itself (an event that cannot be read, a log that is not the one
 *   the read model was built from). Nothing is written until an operator acts and the process is started again.
 * - `stopped`: ended on request; final.
 */
export type RunnerState = 'idle' | 'starting' | 'catchingUp' | 'live' | 'backoff' | 'halted' | 'stopped';

export type RunnerTrigger =
  | 'start'
  | 'opened'
  | 'caughtUp'
  | 'fellBehind'
  /** Another worker, or a switch to another version, has taken the checkpoint over. */
  | 'fenced'
  | 'failed'
  | 'pauseOver'
  | 'unrecoverable'
  | 'stop';

/** `null`: the trigger means nothing in that state and changes nothing. */
type Row = Readonly<Record<RunnerTrigger, RunnerState | null>>;

const NOTHING: Row = {
  start: null,
  opened: null,
  caughtUp: null,
  fellBehind: null,
  fenced: null,
  failed: null,
  pauseOver: null,
  unrecoverable: null,
  stop: 'stopped',
};

const FAULTS = { fenced: 'backoff', failed: 'backoff', unrecoverable: 'halted' } as const;

const TRANSITIONS: Readonly<Record<RunnerState, Row>> = {
  idle: { ...NOTHING, start: 'starting' },
  starting: { ...NOTHING, ...FAULTS, opened: 'catchingUp' },
  catchingUp: { ...NOTHING, ...FAULTS, caughtUp: 'live' },
  live: { ...NOTHING, ...FAULTS, fellBehind: 'catchingUp' },
  backoff: { ...NOTHING, pauseOver: 'starting' },
  halted: { ...NOTHING },
  stopped: { ...NOTHING, stop: null },
};

/** The state that follows; the same one when the trigger means nothing there. */
export function transition(state: RunnerState, trigger: RunnerTrigger): RunnerState {
  return TRANSITIONS[state][trigger] ?? state;
}
